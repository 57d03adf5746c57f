// Keeps every error with its stack.
// expect: memory timeout thrown
function decodeUplink(input) {
  const all = [];
  for (;;) {
    try {
      null.x;
    } catch (error) {
      all.push(error);
    }
  }
}
