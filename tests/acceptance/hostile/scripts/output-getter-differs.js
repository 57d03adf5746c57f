// An answer that changes when read again.
// expect: data thrown
function decodeUplink(input) {
  let times = 0;
  return {
    get data() {
      return times++ ? 1 : { x: 1 };
    },
    get errors() {
      return times > 5 ? [] : undefined;
    },
  };
}
