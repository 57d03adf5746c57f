// Throws what throws when it is read.
// expect: thrown
function decodeUplink(input) {
  throw {
    message: {
      toString() {
        throw null;
      },
    },
  };
}
