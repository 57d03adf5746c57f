// A replacer that nests for ever.
// expect: timeout memory thrown
function decodeUplink(input) {
  return { data: JSON.parse(JSON.stringify({}, (key, value) => ({ again: value }))) };
}
