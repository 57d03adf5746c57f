// Fills the heap while it loads.
// expect: memory timeout unloadable thrown
var all = [];
for (;;) all.push("x".repeat(1000) + all.length);
function decodeUplink() { return { data: {} }; }
