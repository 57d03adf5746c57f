// Replaces JSON.
// expect: data
// calls: 4
// answer: {"x": 1}
function decodeUplink(input) {
  JSON.stringify = () => "{\"data\":{\"x\":666}}";
  JSON.parse = () => ({ bytes: [], fPort: 666 });
  return { data: { x: input.fPort === 1 ? 1 : 666 } };
}
