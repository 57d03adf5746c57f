// Asks who called it.
// expect: thrown data
function decodeUplink(input) {
  return { data: { caller: String(arguments.callee.caller) } };
}
