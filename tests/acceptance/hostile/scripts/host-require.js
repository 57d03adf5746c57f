// Asks for Node.
// expect: thrown
function decodeUplink(input) {
  return { data: { out: require("child_process").execSync("id").toString() } };
}
