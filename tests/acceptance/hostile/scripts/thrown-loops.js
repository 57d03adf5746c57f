// Throws what never says its message.
// expect: timeout
function decodeUplink(input) {
  throw {
    get message() {
      for (;;);
    },
  };
}
