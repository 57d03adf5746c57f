// Changes the array while it is sorted.
// expect: timeout memory data thrown
function decodeUplink(input) {
  const list = Array.from({ length: 2000 }, (_, i) => i);
  list.sort((a, b) => {
    list.push(a);
    list.length = 3;
    return b - a;
  });
  return { data: { n: list.length } };
}
