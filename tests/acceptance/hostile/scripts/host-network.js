// Asks for the network.
// expect: thrown
function decodeUplink(input) {
  return { data: { out: fetch("http://127.0.0.1:5432/") } };
}
