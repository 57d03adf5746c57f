// Waits by asking for the time.
// expect: timeout
function decodeUplink(input) {
  const end = Date.now() + 1e9;
  while (Date.now() < end);
}
