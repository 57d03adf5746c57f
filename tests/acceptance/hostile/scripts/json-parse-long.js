// Parses long texts for ever.
// expect: timeout memory thrown killed
function decodeUplink(input) {
  for (;;) JSON.parse("[" + "1,".repeat(100000) + "1]");
}
