// Back-references over a long text.
// expect: timeout killed data
function decodeUplink(input) {
  return { data: { m: /(.*)\1(.*)\2(.*)\3x/.test("ab".repeat(2000)) } };
}
