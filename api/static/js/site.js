// The page of a site: its points follow the sensors.

import { atMostEvery, followPoints, wordsOfPage } from "./following.js";

const RELOAD_EVERY_MS = 2_000;

const list = document.getElementById("points");
if (list) {
  const reload = atMostEvery(RELOAD_EVERY_MS, () => void replaceList(list).then(() => points.tick()));
  const points = followPoints(list, wordsOfPage(), { unknown: reload });
}

/**
 * A point began to measure something: take the list again, and keep the focus on the same link.
 *
 * @param {HTMLElement} list
 */
async function replaceList(list) {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("points");
  if (!fresh) return;
  const focused = list.querySelector("a:focus")?.getAttribute("href");
  list.replaceChildren(...fresh.childNodes);
  if (focused) {
    /** @type {HTMLElement | null} */ (list.querySelector(`a[href="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
  }
}
