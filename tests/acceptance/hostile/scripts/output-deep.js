// An answer twenty thousand deep.
// expect: memory thrown
function decodeUplink(input) {
  let data = {};
  for (let i = 0; i < 20000; i++) data = [data];
  return { data };
}
