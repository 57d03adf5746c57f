// Unicode normalization of a long text, in native code.
// expect: killed timeout memory data too_large
function decodeUplink(input) {
  return { data: { n: "\u0344\ufdfa".repeat(400000).normalize("NFKD").length } };
}
