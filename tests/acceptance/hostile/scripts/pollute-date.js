// Replaces Date.
// expect: data
// calls: 4
// answer: {"x": 1}
function decodeUplink(input) {
  const real = input.recvTime.getTime() === 1700000000000;
  globalThis.Date = function () {
    return { getTime: () => 666 };
  };
  return { data: { x: real ? 1 : 666 } };
}
