// The newest frames of the network, as they are stored. Without this script the page shows those of when it was asked.

const RETRY_MS = 5000;
const FLASH_MS = 400;

/** @typedef {{name: string, href: string, at: string, said: string}} Frame */

const list = /** @type {HTMLElement} */ (document.getElementById("live-frames"));
const state = /** @type {HTMLElement} */ (document.getElementById("live-state"));
const empty = /** @type {HTMLElement} */ (document.getElementById("live-empty"));
const pause = /** @type {HTMLButtonElement} */ (document.getElementById("live-pause"));

let isPaused = false;
/** @type {Frame[] | undefined} */
let latest;

/** @param {Frame} frame */
function key(frame) {
  return `${frame.href} ${frame.at} ${frame.said}`;
}

/** @param {Frame[]} frames */
function show(frames) {
  const before = new Set([...list.children].map((item) => /** @type {HTMLElement} */ (item).dataset.key));
  const isFirst = before.size === 0;
  list.replaceChildren(
    ...frames.map((frame) => {
      const item = document.createElement("li");
      item.dataset.key = key(frame);
      const title = document.createElement("h3");
      const link = document.createElement("a");
      link.href = frame.href;
      link.textContent = frame.name;
      title.append(link);
      const at = document.createElement("span");
      at.className = "at";
      at.textContent = frame.at;
      const said = document.createElement("small");
      said.className = "wide";
      said.textContent = frame.said;
      item.append(title, at, said);
      if (!isFirst && !before.has(item.dataset.key)) {
        item.classList.add("changed");
        setTimeout(() => item.classList.remove("changed"), FLASH_MS);
      }
      return item;
    }),
  );
  list.hidden = frames.length === 0;
  empty.hidden = frames.length > 0;
}

/** Whoever reads a line, by eye or with the keyboard in it, must not have it taken away. */
function take() {
  if (latest && !isPaused && !list.contains(document.activeElement)) {
    show(latest);
    latest = undefined;
  }
}

function follow() {
  const source = new EventSource(list.dataset.live ?? "");
  source.addEventListener("open", () => tell("on"));
  source.addEventListener("error", () => {
    tell("off");
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, RETRY_MS);
  });
  source.addEventListener("frames", (event) => {
    latest = JSON.parse(event.data);
    take();
  });
  addEventListener("pagehide", () => source.close(), { once: true });
}

/** @param {"on" | "off"} now */
function tell(now) {
  state.hidden = false;
  state.dataset.state = now;
  state.textContent = (now === "on" ? state.dataset.on : state.dataset.off) ?? "";
}

pause.hidden = false;
pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.textContent = (isPaused ? pause.dataset.resume : pause.dataset.pause) ?? "";
  take();
});
list.addEventListener("focusout", () => setTimeout(take));
follow();
