// Counts its calls in a built-in object: it never meets its own count.
// expect: data
// calls: 4
// answer: {"x": 1}
function decodeUplink(input) {
  Array.prototype.count = (Array.prototype.count || 0) + 1;
  return { data: { x: Array.prototype.count } };
}
