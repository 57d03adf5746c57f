// Goes on in a finally block.
// expect: timeout memory
function again() {
  try {
    for (;;);
  } finally {
    again();
  }
}
function decodeUplink(input) {
  again();
}
