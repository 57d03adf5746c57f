// An asynchronous decode: a promise is no answer.
// expect: thrown
async function decodeUplink() {
  for (;;) await null;
}
