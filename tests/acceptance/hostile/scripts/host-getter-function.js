// A decode function that is never found.
// expect: timeout
Object.defineProperty(globalThis, "decodeUplink", {
  get() {
    for (;;);
  },
});
