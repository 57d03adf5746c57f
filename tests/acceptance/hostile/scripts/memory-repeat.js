// Repeats a string beyond the heap.
// expect: memory thrown
function decodeUplink(input) {
  return { data: { text: "x".repeat(0x3fffffff) } };
}
