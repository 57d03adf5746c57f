// Spreads an endless generator.
// expect: timeout memory
function decodeUplink(input) {
  const endless = (function* () {
    for (;;) yield 1;
  })();
  return { data: { all: [...endless] } };
}
