// The usual way out of a careless sandbox.
// expect: thrown
function decodeUplink(input) {
  return { data: { p: this.constructor.constructor("return process")().pid } };
}
