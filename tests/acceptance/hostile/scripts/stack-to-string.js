// Recursion through conversion.
// expect: memory thrown
function decodeUplink(input) {
  const self = {};
  self.toString = () => "" + self;
  return { data: { text: "" + self } };
}
