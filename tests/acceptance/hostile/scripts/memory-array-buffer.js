// One buffer of two gigabytes.
// expect: memory thrown
function decodeUplink(input) {
  return { data: { n: new ArrayBuffer(0x7fffffff).byteLength } };
}
