// The live stream of a tenant: latest values as they are committed.

/**
 * @typedef {object} LatestValue
 * @property {number} point_id
 * @property {string} quantity
 * @property {number} channel
 * @property {number} value
 * @property {string} measured_at
 */

/** @typedef {"connecting" | "on" | "off"} State */

const RETRY_MS = 5000;

/**
 * Follow the stream for as long as the page is open. The browser reconnects by itself when the network fails, and
 * goes on from the last event; when the server refuses, we ask again.
 *
 * @param {string} address
 * @param {(values: LatestValue[], whole: boolean) => void} onValues `whole` when these are all there are
 * @param {(state: State) => void} onState
 */
export function follow(address, onValues, onState) {
  const source = new EventSource(address);
  source.addEventListener("open", () => onState("on"));
  source.addEventListener("error", () => {
    onState("off");
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(() => follow(address, onValues, onState), RETRY_MS);
    }
  });
  source.addEventListener("snapshot", (event) => onValues(JSON.parse(event.data).values, true));
  source.addEventListener("values", (event) => onValues(JSON.parse(event.data).values, false));
  addEventListener("pagehide", () => source.close(), { once: true });
}
