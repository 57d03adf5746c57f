// A proxy in place of the answer, that throws a proxy.
// expect: thrown data
function decodeUplink(input) {
  return new Proxy({}, {
    get() {
      throw new Proxy({}, {});
    },
    has: () => true,
  });
}
