// toJSON that answers with more of the same.
// expect: timeout memory thrown
function Nest() {}
Nest.prototype.toJSON = function () {
  return { nest: new Nest() };
};
function decodeUplink(input) {
  return { data: new Nest() };
}
