// An endless loop while the script loads.
// expect: timeout
for (;;);
function decodeUplink() { return { data: {} }; }
