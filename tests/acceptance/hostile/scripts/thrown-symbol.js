// Throws a symbol.
// expect: thrown
function decodeUplink(input) {
  throw Symbol("s");
}
