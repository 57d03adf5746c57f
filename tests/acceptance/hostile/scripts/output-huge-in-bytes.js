// An answer short in characters, long in bytes.
// expect: too_large
function decodeUplink(input) {
  return { data: { text: "\u20ac".repeat(60000) } };
}
