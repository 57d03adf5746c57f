// The page of a point: its chart follows the sensor, and what is chosen changes the page in place.

import { Evolution } from "./evolution.js";
import { atMostEvery, followPoints, wordsOfPage } from "./following.js";

const REFRESH_EVERY_MS = 2_000; // of the chart, at most

const words = wordsOfPage();
const list = document.getElementById("points");
if (list) {
  const evolution = new Evolution(words);
  const refresh = atMostEvery(REFRESH_EVERY_MS, () => void evolution.refresh());
  followPoints(list, words, {
    changed: (keys) => {
      if (evolution.follows && keys.includes(evolution.chosen)) refresh();
    },
    unknown: atMostEvery(REFRESH_EVERY_MS, () => location.reload()),
  });
  choose(evolution);
}

/**
 * Links that choose what is shown change the page in place; its address follows.
 *
 * @param {Evolution} evolution
 */
function choose(evolution) {
  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const link = /** @type {HTMLAnchorElement | null} */ (target.closest("a[data-choose]"));
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void evolution.go(link.href).then((shown) => {
      if (!shown) return;
      const same = [...document.querySelectorAll("#evolution a[data-choose]")].find(
        (candidate) => candidate.textContent === link.textContent && candidate.checkVisibility(),
      );
      const next = same ?? document.getElementById("evolution-title");
      /** @type {HTMLElement | null} */ (next)?.focus({ preventScroll: true });
    });
  });
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (!form.closest("#dates")) return;
    event.preventDefault();
    const asked = new URLSearchParams(/** @type {any} */ (new FormData(form)));
    void evolution.go(`${location.pathname}?${asked}`).then(() => document.getElementById("evolution-title")?.focus());
  });
  addEventListener("popstate", () => void evolution.show(location.href));
}
