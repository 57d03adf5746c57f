// A sparse array of four thousand million.
// expect: killed timeout memory thrown data
function decodeUplink(input) {
  const list = [];
  list[4294967294] = 1;
  return { data: { at: list.indexOf(2), sum: list.reduce((a, b) => a + b) } };
}
