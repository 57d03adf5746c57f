// Joins what is not there, in native code.
// expect: memory timeout killed thrown
function decodeUplink(input) {
  return { data: { n: new Array(4e8).join("ab").length } };
}
