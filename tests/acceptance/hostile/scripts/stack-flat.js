// Flattens what is nested a hundred thousand deep.
// expect: memory thrown timeout
function decodeUplink(input) {
  let list = [];
  for (let i = 0; i < 100000; i++) list = [list];
  return { data: { n: list.flat(Infinity).length } };
}
