// Calls through thirty thousand bound functions.
// expect: memory thrown timeout
function decodeUplink(input) {
  let chain = () => 1;
  for (let i = 0; i < 30000; i++) chain = chain.bind(null);
  return { data: { x: chain() } };
}
