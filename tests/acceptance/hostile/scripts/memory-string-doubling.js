// Doubles a string.
// expect: memory timeout thrown
function decodeUplink(input) {
  let text = "x";
  for (;;) text += text;
}
