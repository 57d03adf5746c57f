// Throws a number.
// expect: thrown
function decodeUplink(input) {
  throw 42;
}
