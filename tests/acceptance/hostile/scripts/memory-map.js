// A map without end.
// expect: memory timeout thrown
function decodeUplink(input) {
  const map = new Map();
  for (let i = 0; ; i++) map.set("key" + i, { i });
}
