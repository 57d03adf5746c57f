// Reaches for the functions that called it.
// expect: data thrown
Error.prepareStackTrace = (error, frames) => frames;
function decodeUplink(input) {
  const frames = new Error("x").stack;
  const run = Array.isArray(frames) ? frames.map((frame) => frame.getFunction && frame.getFunction()) : [];
  let answers = 0;
  for (const one of run) {
    try {
      if (one && one !== decodeUplink && one("") === "") answers++;
    } catch (refused) {}
  }
  return { data: { x: 1, answers } };
}
