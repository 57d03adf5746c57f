// A quadratic replacement.
// expect: killed timeout memory
function decodeUplink(input) {
  const text = "a".repeat(1 << 20);
  return { data: { n: text.replaceAll("a".repeat(1 << 18) + "b", "").length } };
}
