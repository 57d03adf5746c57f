// Throws a function.
// expect: thrown
function decodeUplink(input) {
  throw function () {};
}
