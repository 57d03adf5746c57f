// An iterator that never ends.
// expect: timeout memory
function decodeUplink(input) {
  input.bytes[Symbol.iterator] = () => ({ next: () => ({ done: false, value: 0 }) });
  return { data: { bytes: Array.from(input.bytes) } };
}
