// Squares a big integer for ever.
// expect: memory thrown timeout killed
function decodeUplink(input) {
  let big = 3n;
  for (;;) big *= big;
}
