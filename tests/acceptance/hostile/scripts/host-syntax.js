// No JavaScript at all.
// expect: unloadable
function decodeUplink( {
