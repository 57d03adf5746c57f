// Recursion without end.
// expect: memory
function deeper() {
  return deeper() + 1;
}
function decodeUplink(input) {
  return { data: { n: deeper() } };
}
