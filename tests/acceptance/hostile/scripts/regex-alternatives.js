// Backtracking over alternatives, in replace.
// expect: timeout killed memory
function decodeUplink(input) {
  return { data: { m: "a".repeat(50).replace(/(a|a|aa)*$/g, "") + /^(([a-z])+.)+[A-Z]([a-z])+$/.test("a".repeat(60)) } };
}
