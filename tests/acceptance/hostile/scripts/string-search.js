// A quadratic search in native code: the process is ended.
// expect: killed timeout
function decodeUplink(input) {
  const text = "a".repeat(1 << 20);
  return { data: { at: text.indexOf("a".repeat(1 << 19) + "b") } };
}
