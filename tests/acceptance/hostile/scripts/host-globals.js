// Looks for what other engines leave lying about.
// expect: data
// answer: {"x": 0}
function decodeUplink(input) {
  const found = ["process", "std", "os", "scriptArgs", "print", "load", "read", "fetch", "XMLHttpRequest", "WebSocket",
    "Worker", "Deno", "Bun", "setTimeout", "java", "python", "importScripts", "WebAssembly"];
  return { data: { x: found.filter((name) => name in globalThis).length } };
}
