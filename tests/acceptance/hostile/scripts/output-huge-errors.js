// Thousands of errors.
// expect: refused too_large
function decodeUplink(input) {
  return { errors: new Array(5000).fill("again") };
}
