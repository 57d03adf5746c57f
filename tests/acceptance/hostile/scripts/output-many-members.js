// An answer of twenty thousand members.
// expect: too_large memory timeout
function decodeUplink(input) {
  const data = {};
  for (let i = 0; i < 20000; i++) data["member" + i] = i;
  return { data };
}
