// An endless loop in a decode.
// expect: timeout
function decodeUplink(input) {
  for (;;);
}
