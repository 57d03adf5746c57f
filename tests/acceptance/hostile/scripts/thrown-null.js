// Throws null.
// expect: thrown
function decodeUplink(input) {
  throw null;
}
