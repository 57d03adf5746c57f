// A reviver that never ends.
// expect: timeout
function decodeUplink(input) {
  return {
    data: JSON.parse("[1,2]", () => {
      for (;;);
    }),
  };
}
