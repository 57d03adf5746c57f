// A comparison that never ends.
// expect: timeout
function decodeUplink(input) {
  [3, 2, 1].sort(() => {
    for (;;);
  });
}
