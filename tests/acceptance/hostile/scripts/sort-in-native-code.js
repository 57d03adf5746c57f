// Sorting that the engine cannot interrupt: the process is ended.
// expect: killed timeout memory
function decodeUplink(input) {
  const many = [];
  for (let i = 0; i < 60000; i++) many.push((i * 7919) % 60013);
  for (;;) many.sort();
}
