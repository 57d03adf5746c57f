// One point over time: choosing another quantity or period, or zooming, without leaving the page.

import { Chart } from "./chart.js";

/** @typedef {import("./words.js").Words} Words */

export class Evolution {
  /** @param {Words} words */
  constructor(words) {
    this.words = words;
    /** @type {Chart | null} */
    this.chart = null;
    this.asked = 0;
    this.draw();
  }

  get section() {
    return document.getElementById("evolution");
  }

  /** The key of the value shown, "" when there is none. */
  get chosen() {
    return this.section?.dataset.chosen ?? "";
  }

  /** Whether what is shown ends now, and grows. */
  get follows() {
    return this.section?.dataset.follows === "true";
  }

  draw() {
    this.chart?.destroy();
    const box = document.getElementById("chart");
    const body = document.getElementById("rows");
    const pointed = document.getElementById("pointed");
    const zoom = (/** @type {number} */ start, /** @type {number} */ end) => void this.#zoom(start, end);
    this.chart = box && body && pointed ? new Chart(box, body, pointed, this.words, zoom) : null;
  }

  /**
   * Show the period between two moments, Unix times.
   *
   * @param {number} start
   * @param {number} end
   */
  async #zoom(start, end) {
    const asked = new URLSearchParams(location.search);
    asked.delete("range");
    asked.set("from", moment(start));
    asked.set("to", moment(end));
    await this.go(`${location.pathname}?${asked}`);
  }

  /**
   * Show what an address shows, and let the browser's address follow.
   *
   * @param {string} address
   * @returns {Promise<boolean>} whether it is shown now
   */
  async go(address) {
    const shown = await this.show(address);
    if (shown) history.pushState(null, "", address);
    return shown;
  }

  /**
   * Show what an address of this page shows. Anything unexpected: go there the ordinary way.
   *
   * @param {string} address
   * @returns {Promise<boolean>} whether it is shown now
   */
  async show(address) {
    const page = await this.#fetch(address);
    if (page === null) return false;
    const fresh = page.getElementById("evolution");
    if (!fresh || !this.section) {
      location.assign(address);
      return false;
    }
    this.section.replaceWith(fresh);
    this.draw();
    for (const link of page.querySelectorAll(".languages a")) {
      const own = document.querySelector(`.languages a[hreflang="${link.getAttribute("hreflang")}"]`);
      own?.setAttribute("href", link.getAttribute("href") ?? "");
    }
    return true;
  }

  /** Take the numbers of what is shown again, and touch nothing else: focus and scroll stay where they are. */
  async refresh() {
    const page = await this.#fetch(location.href);
    if (page === null || page.getElementById("evolution")?.dataset.chosen !== this.chosen) return;
    const parts = document.querySelectorAll("#evolution [data-fresh]");
    const fresh = [...parts].map((part) => page.getElementById(part.id));
    if (this.chart === null || fresh.includes(null)) {
      await this.show(location.href);
      return;
    }
    parts.forEach((part, position) => {
      const replacement = /** @type {HTMLElement} */ (fresh[position]);
      Object.assign(/** @type {HTMLElement} */ (part).dataset, replacement.dataset);
      part.replaceChildren(...replacement.childNodes);
    });
    const label = page.getElementById("chart")?.getAttribute("aria-label");
    if (label) this.chart.box.setAttribute("aria-label", label);
    this.chart.refresh();
  }

  /**
   * @param {string} address
   * @returns {Promise<Document | null>} the page there; null when another one was asked for meanwhile
   */
  async #fetch(address) {
    const asked = ++this.asked;
    this.section?.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      return asked === this.asked ? page : null;
    } catch {
      return null; // the stream says that the connection is lost; the next value tries again
    } finally {
      this.section?.removeAttribute("aria-busy");
    }
  }
}

/**
 * @param {number} at Unix time
 * @returns {string} as the address of a page has it
 */
function moment(at) {
  return `${new Date(at * 1000).toISOString().slice(0, 19)}Z`;
}
