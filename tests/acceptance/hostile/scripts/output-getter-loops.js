// An answer whose member never answers.
// expect: timeout
function decodeUplink(input) {
  return {
    get data() {
      for (;;);
    },
  };
}
