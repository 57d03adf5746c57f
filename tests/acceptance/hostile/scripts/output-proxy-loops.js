// A proxy whose members are never listed.
// expect: timeout
function decodeUplink(input) {
  return {
    data: new Proxy({}, {
      ownKeys() {
        for (;;);
      },
    }),
  };
}
