// Imports when called: nothing is ever loaded.
// expect: data
function decodeUplink(input) {
  let seen = "nothing";
  for (const name of ["os", "std", "qjs:os", "qjs:std", "fs", "/etc/passwd", "file:///etc/passwd"]) {
    import(name).then((found) => {
      seen = found;
    });
  }
  return { data: { x: 1, seen } };
}
