// A decode function that is none.
// expect: unloadable
var decodeUplink = { call() { for (;;); } };
