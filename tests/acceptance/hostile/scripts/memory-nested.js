// Nests arrays until the heap is full; freeing them must not overflow the stack.
// expect: memory timeout thrown
function decodeUplink(input) {
  let all = [];
  for (;;) all = [all];
}
