// Asks through a hundred thousand proxies.
// expect: memory thrown timeout
function decodeUplink(input) {
  let chain = {};
  for (let i = 0; i < 100000; i++) chain = new Proxy(chain, {});
  return { data: { x: chain.x } };
}
