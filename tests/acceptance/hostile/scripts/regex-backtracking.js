// Catastrophic backtracking.
// expect: timeout killed
function decodeUplink(input) {
  return { data: { m: /(a+)+$/.test("a".repeat(40) + "b") } };
}
