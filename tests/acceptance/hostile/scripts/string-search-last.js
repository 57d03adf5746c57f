// A quadratic search from the end.
// expect: killed timeout data
function decodeUplink(input) {
  const text = "a".repeat(1 << 20);
  return { data: { at: text.lastIndexOf("b" + "a".repeat(1 << 19)) } };
}
