// The page of a tenant: what it shows follows the sensors without being asked.

import { Evolution } from "./evolution.js";
import { follow } from "./live.js";
import { keyOf, Points, write } from "./points.js";
import { Words } from "./words.js";

const TICK_MS = 10_000;
const FLASH_MS = 400;
const REFRESH_EVERY_MS = 2_000; // of the chart, at most
const ANNOUNCE_EVERY_MS = 20_000; // to screen readers, at most

const page = /** @type {HTMLElement} */ (document.getElementById("page"));
const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
const words = new Words(texts, document.documentElement.lang);
const ahead = Date.parse(page.dataset.now ?? "") - Date.now(); // this machine's clock may be wrong
const now = () => (Date.now() + ahead) / 1000;

/**
 * Return a function that runs `work` now, or once when `period` has passed since it last did.
 *
 * @param {() => void} work
 * @param {number} period milliseconds
 */
function atMostEvery(period, work) {
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

const list = document.getElementById("points");
if (list) start(list);

/** @param {HTMLElement} list */
function start(list) {
  const points = new Points(list, words, now);
  const evolution = new Evolution(words);

  const refresh = atMostEvery(REFRESH_EVERY_MS, () => void evolution.refresh());
  const reload = atMostEvery(REFRESH_EVERY_MS, () => void replaceList(list, points));

  /** @type {Set<string>} what the page does not show, and was asked once if it should */
  const known = new Set();
  /** @type {Set<string>} */
  const unsaid = new Set();
  const announce = atMostEvery(ANNOUNCE_EVERY_MS, () => {
    const keys = [...unsaid];
    unsaid.clear();
    const one = keys.length === 1 ? list.querySelector(`data[data-key="${CSS.escape(keys[0])}"]`) : null;
    const said = one ? describe(/** @type {HTMLElement} */ (one)) : words.plural("live.changed", keys.length);
    write(/** @type {HTMLElement} */ (document.getElementById("announcement")), said);
  });

  follow(
    page.dataset.live ?? "",
    (values, whole) => {
      const { changed, unknown } = points.take(values);
      points.tick();
      const newcomers = unknown.filter((key) => !known.has(key));
      for (const key of newcomers) known.add(key);
      if (newcomers.length || (whole && anyGone(list, values))) reload();
      for (const shown of changed) {
        flash(shown);
        unsaid.add(shown.dataset.key ?? "");
      }
      if (changed.length) announce();
      if (changed.some((shown) => shown.dataset.key === evolution.chosen)) refresh();
    },
    (state) => {
      const shown = /** @type {HTMLElement} */ (document.getElementById("live"));
      shown.hidden = false;
      shown.dataset.state = state;
      write(shown, words.text(`live.${state}`));
    },
  );

  setInterval(() => points.tick(), TICK_MS);
  choose(evolution);
}

/**
 * @param {HTMLElement} list
 * @param {import("./live.js").LatestValue[]} values all there are
 */
function anyGone(list, values) {
  const keys = new Set(values.map(keyOf));
  return [...list.querySelectorAll("data")].some((shown) => !keys.has(shown.dataset.key ?? ""));
}

/** @param {HTMLElement} shown */
function describe(shown) {
  const point = /** @type {HTMLElement} */ (shown.closest(".card")).dataset.name ?? "";
  return words.text("live.changed_one", { point, label: shown.dataset.label ?? "", value: shown.textContent ?? "" });
}

/** @param {HTMLElement} shown */
function flash(shown) {
  shown.classList.add("changed");
  setTimeout(() => shown.classList.remove("changed"), FLASH_MS);
}

/**
 * A point or a quantity appeared, or went: take the list again, and keep the focus on the same link.
 *
 * @param {HTMLElement} list
 * @param {Points} points
 */
async function replaceList(list, points) {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("points");
  if (!fresh) return;
  const focused = /** @type {HTMLElement | null} */ (list.querySelector("a:focus"))?.dataset.choose;
  list.replaceChildren(...fresh.childNodes);
  if (focused) {
    const link = list.querySelector(`a[data-choose="${CSS.escape(focused)}"]`);
    /** @type {HTMLElement | null} */ (link)?.focus({ preventScroll: true });
  }
  points.tick();
}

/**
 * Links that choose what is shown over time change the page in place; its address follows.
 *
 * @param {Evolution} evolution
 */
function choose(evolution) {
  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const link = /** @type {HTMLAnchorElement | null} */ (target.closest("a[data-choose]"));
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const within = evolution.section?.contains(link) ?? false;
    void evolution.show(link.href).then((shown) => {
      if (!shown) return;
      history.pushState(null, "", link.href);
      if (within) {
        const same = [...document.querySelectorAll("#evolution a[data-choose]")].find(
          (candidate) => candidate.textContent === link.textContent,
        );
        /** @type {HTMLElement | undefined} */ (same)?.focus({ preventScroll: true });
      } else {
        const title = /** @type {HTMLElement} */ (document.getElementById("evolution-title"));
        title.focus({ preventScroll: true });
        evolution.section?.scrollIntoView({ block: "nearest" });
      }
    });
  });
  addEventListener("popstate", () => void evolution.show(location.href));
}
