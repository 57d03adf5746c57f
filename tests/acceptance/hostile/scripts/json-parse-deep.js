// Parses what is nested without end.
// expect: thrown memory
function decodeUplink(input) {
  return { data: JSON.parse("[".repeat(200000)) };
}
