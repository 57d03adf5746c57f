// Replaces call and apply.
// expect: data
// calls: 4
// answer: {"x": 1}
function decodeUplink(input) {
  Function.prototype.call = Function.prototype.apply = function () {
    for (;;);
  };
  Reflect.apply = Function.prototype.apply;
  return { data: { x: 1 } };
}
