// Pretends to have been stopped.
// expect: timeout thrown memory
function decodeUplink(input) {
  const error = new InternalError("interrupted");
  throw error;
}
