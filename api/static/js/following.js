// Latest values that follow the sensors without being asked: what the pages of a site and of a point share.

import { follow } from "./live.js";
import { Points, write } from "./points.js";
import { Words } from "./words.js";

const TICK_MS = 10_000;
const FLASH_MS = 400;
const ANNOUNCE_EVERY_MS = 20_000; // to screen readers, at most

/** @typedef {import("./live.js").LatestValue} LatestValue */

/** The words of the page. */
export function wordsOfPage() {
  const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
  return new Words(texts, document.documentElement.lang);
}

/**
 * Return a function that runs `work` now, or once when `period` has passed since it last did.
 *
 * @param {number} period milliseconds
 * @param {() => void} work
 */
export function atMostEvery(period, work) {
  let last = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  return () => {
    if (waiting !== undefined) return;
    const run = () => {
      waiting = undefined;
      last = performance.now();
      work();
    };
    const wait = last + period - performance.now();
    if (wait <= 0) run();
    else waiting = setTimeout(run, wait);
  };
}

/**
 * Keep the values of the page's list of points up to date.
 *
 * @param {HTMLElement} list
 * @param {Words} words
 * @param {{changed?: (keys: string[]) => void, unknown?: () => void}} hooks what else follows: `changed` values, and
 *   values of the list's points that have no place in it yet
 */
export function followPoints(list, words, hooks) {
  const page = /** @type {HTMLElement} */ (document.getElementById("page"));
  const ahead = Date.parse(page.dataset.now ?? "") - Date.now(); // this machine's clock may be wrong
  const points = new Points(list, words, () => (Date.now() + ahead) / 1000);

  /** @type {Set<string>} what the page does not show, and was asked once if it should */
  const known = new Set();
  /** @type {Set<string>} */
  const unsaid = new Set();
  const announce = atMostEvery(ANNOUNCE_EVERY_MS, () => {
    const keys = [...unsaid];
    unsaid.clear();
    const one = keys.length === 1 ? list.querySelector(`data[data-key="${CSS.escape(keys[0])}"]`) : null;
    const said = one ? describe(/** @type {HTMLElement} */ (one), words) : words.plural("live.changed", keys.length);
    write(/** @type {HTMLElement} */ (document.getElementById("announcement")), said);
  });

  follow(
    page.dataset.live ?? "",
    (values) => {
      const own = new Set([...list.querySelectorAll("[data-point]")].map((card) => /** @type {HTMLElement} */ (card).dataset.point));
      const { changed, unknown } = points.take(values.filter((value) => own.has(String(value.point_id))));
      points.tick();
      const newcomers = unknown.filter((key) => !known.has(key));
      for (const key of newcomers) known.add(key);
      if (newcomers.length) hooks.unknown?.();
      for (const shown of changed) {
        flash(shown);
        unsaid.add(shown.dataset.key ?? "");
      }
      if (changed.length) {
        announce();
        hooks.changed?.(changed.map((shown) => shown.dataset.key ?? ""));
      }
    },
    (state) => {
      const shown = /** @type {HTMLElement} */ (document.getElementById("live"));
      shown.hidden = false;
      shown.dataset.state = state;
      write(shown, words.text(`live.${state}`));
    },
  );
  setInterval(() => points.tick(), TICK_MS);
  return points;
}

/**
 * @param {HTMLElement} shown
 * @param {Words} words
 */
function describe(shown, words) {
  const point = /** @type {HTMLElement} */ (shown.closest(".card")).dataset.name ?? "";
  return words.text("live.changed_one", { point, label: shown.dataset.label ?? "", value: shown.textContent ?? "" });
}

/** @param {HTMLElement} shown */
function flash(shown) {
  shown.classList.add("changed");
  setTimeout(() => shown.classList.remove("changed"), FLASH_MS);
}
