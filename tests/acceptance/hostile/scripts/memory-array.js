// Fills the heap with arrays.
// expect: memory timeout thrown
function decodeUplink(input) {
  const all = [];
  for (;;) all.push(new Array(1000).fill(all.length));
}
