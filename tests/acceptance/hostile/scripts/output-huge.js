// An answer of a megabyte.
// expect: too_large memory
function decodeUplink(input) {
  return { data: { text: "x".repeat(1 << 20) } };
}
