// Asks for a file.
// expect: thrown
function decodeUplink(input) {
  return { data: { out: require("fs").readFileSync("/etc/passwd", "utf8") } };
}
