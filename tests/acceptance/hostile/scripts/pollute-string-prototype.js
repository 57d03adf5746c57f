// Replaces what strings do, then throws.
// expect: thrown
// calls: 4
function decodeUplink(input) {
  String.prototype.slice = String.prototype.toString = () => {
    for (;;);
  };
  throw new Error("said");
}
