// Replaces what arrays do.
// expect: data
// calls: 4
// answer: {"x": 1}
function decodeUplink(input) {
  const one = input.bytes.length;
  Array.prototype[Symbol.iterator] = function* () {
    for (;;) yield 1;
  };
  Array.isArray = () => false;
  Array.prototype.slice = Array.prototype.map = () => [666];
  return { data: { x: one === 4 ? 1 : 666 } };
}
