// Sleeps for ever without using the processor.
// expect: thrown
function decodeUplink(input) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
