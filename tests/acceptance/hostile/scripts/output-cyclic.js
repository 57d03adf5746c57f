// An answer that contains itself.
// expect: thrown
function decodeUplink(input) {
  const data = {};
  data.self = data;
  return { data };
}
