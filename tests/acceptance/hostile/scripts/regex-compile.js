// A pattern a hundred thousand groups deep.
// expect: thrown memory timeout unloadable
function decodeUplink(input) {
  return { data: { m: new RegExp("(".repeat(100000) + ")".repeat(100000)).test("a") } };
}
