// Typed arrays until the heap is full.
// expect: memory thrown timeout
function decodeUplink(input) {
  const all = [];
  for (;;) all.push(new Uint8Array(1 << 20).fill(1));
}
