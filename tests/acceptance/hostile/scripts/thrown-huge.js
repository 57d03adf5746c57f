// Throws an error with a message of four megabytes.
// expect: thrown memory
function decodeUplink(input) {
  throw new Error("x".repeat(1 << 22));
}
