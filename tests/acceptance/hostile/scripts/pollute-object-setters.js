// Puts setters where the input is written.
// expect: data
// calls: 4
// answer: {"x": 1}
function decodeUplink(input) {
  for (const name of ["bytes", "fPort", "recvTime", "data", "errors", "toJSON"]) {
    Object.defineProperty(Object.prototype, name, {
      get() {
        return undefined;
      },
      set() {
        throw new Error("evil");
      },
      configurable: true,
    });
  }
  const answer = Object.create(null);
  answer.data = Object.assign(Object.create(null), { x: 1 });
  return answer;
}
