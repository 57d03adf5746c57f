// Fills an array of a thousand million.
// expect: memory thrown timeout
function decodeUplink(input) {
  return { data: { n: new Array(1e9).fill(0).length } };
}
