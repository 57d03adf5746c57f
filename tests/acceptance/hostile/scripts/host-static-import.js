// Imports as a module.
// expect: unloadable
import * as os from "os";
export function decodeUplink() {
  return { data: { out: os.readdir("/") } };
}
