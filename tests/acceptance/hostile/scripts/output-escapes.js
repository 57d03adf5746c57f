// Lone surrogates, NUL and separators.
// expect: data thrown
function decodeUplink(input) {
  return { data: { "\ud800": "\udfff", nul: "\u0000", brackets: "]}\u2028" } };
}
