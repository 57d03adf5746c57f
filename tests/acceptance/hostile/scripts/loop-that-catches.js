// An endless loop that catches what would stop it.
// expect: timeout
function decodeUplink(input) {
  for (;;) {
    try {
      for (;;);
    } catch (stopped) {}
  }
}
