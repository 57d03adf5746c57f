// What JSON has no form for.
// expect: thrown
function decodeUplink(input) {
  return { data: { n: 10n } };
}
