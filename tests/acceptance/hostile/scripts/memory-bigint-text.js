// Writes out a big integer, quadratic in native code.
// expect: killed timeout memory thrown data too_large
function decodeUplink(input) {
  return { data: { n: (7n ** 300000n).toString().length } };
}
