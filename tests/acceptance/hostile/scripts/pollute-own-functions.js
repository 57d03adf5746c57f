// Replaces itself: what was loaded is what is called.
// expect: data
// calls: 4
// answer: {"x": 1}
function decodeUplink(input) {
  decodeUplink = () => ({ data: { x: 666 } });
  globalThis.module = globalThis.exports = null;
  return { data: { x: 1 } };
}
