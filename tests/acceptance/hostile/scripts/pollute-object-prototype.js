// Adds to every object.
// expect: data
// calls: 4
// answer: {"x": 1}
function decodeUplink(input) {
  Object.prototype.data = { evil: 1 };
  Object.prototype.errors = ["evil"];
  return { data: { x: 1 }, errors: [] };
}
