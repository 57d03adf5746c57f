// Nested counted repetitions.
// expect: timeout memory thrown killed data
function decodeUplink(input) {
  return { data: { m: new RegExp("(?:(?:(?:a{0,1000}){0,1000}){0,1000}){0,1000}b").test("a".repeat(5000)) } };
}
