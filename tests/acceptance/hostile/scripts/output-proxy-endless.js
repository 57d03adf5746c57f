// A proxy that is nested for ever.
// expect: timeout memory thrown
function decodeUplink(input) {
  const handler = {
    ownKeys: () => ["again"],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    get: (_, name) => (name === "toJSON" ? undefined : new Proxy({}, handler)),
  };
  return { data: new Proxy({}, handler) };
}
