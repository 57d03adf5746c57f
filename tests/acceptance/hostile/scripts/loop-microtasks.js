// Microtasks that make microtasks: none is ever run.
// expect: data
function more() {
  Promise.resolve().then(more);
}
function decodeUplink(input) {
  more();
  return { data: { x: 1 } };
}
