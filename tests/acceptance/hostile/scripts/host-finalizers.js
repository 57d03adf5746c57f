// Leaves work for when it is over.
// expect: data memory
// calls: 20
function decodeUplink(input) {
  const registry = new FinalizationRegistry(() => {
    for (;;);
  });
  for (let i = 0; i < 100; i++) registry.register({}, i);
  return { data: { x: 1 } };
}
