// Shared buffers, which no heap limit may forget.
// expect: memory thrown data
function decodeUplink(input) {
  const all = [];
  for (let i = 0; i < 64; i++) all.push(new SharedArrayBuffer(1 << 24));
  return { data: { n: all.length } };
}
