// An answer that the engine can write and a careless parser cannot read.
// expect: data memory thrown
function decodeUplink(input) {
  let data = {};
  for (let i = 0; i < 2500; i++) data = [data];
  return { data };
}
