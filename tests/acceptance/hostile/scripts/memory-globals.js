// Keeps a megabyte of every call.
// expect: data memory thrown
// calls: 40
var leak = [];
function decodeUplink(input) {
  leak.push(new Uint8Array(1 << 20).fill(7));
  return { data: { x: 1 } };
}
