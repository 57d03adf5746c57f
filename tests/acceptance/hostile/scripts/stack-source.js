// Compiles what is nested a hundred thousand deep.
// expect: thrown memory unloadable timeout
function decodeUplink(input) {
  return { data: { x: eval("(".repeat(100000) + "1" + ")".repeat(100000)) } };
}
