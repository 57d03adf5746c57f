// Throws undefined.
// expect: thrown
function decodeUplink(input) {
  throw undefined;
}
