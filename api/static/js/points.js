// The list of points: values that change, ages that grow, statuses that follow.

/** @typedef {import("./words.js").Words} Words */
/** @typedef {import("./live.js").LatestValue} LatestValue */

const NAMED = 3; // points named in the sentence at the top

export class Points {
  /**
   * @param {HTMLElement} root
   * @param {Words} words
   * @param {() => number} now seconds since 1970, by the server's clock
   */
  constructor(root, words, now) {
    this.root = root;
    this.words = words;
    this.now = now;
  }

  /**
   * Show new values.
   *
   * @param {LatestValue[]} values
   * @returns {{changed: HTMLElement[], unknown: string[]}} what changed, and the keys that have no place here
   */
  take(values) {
    const changed = [];
    const unknown = [];
    for (const value of values) {
      const key = keyOf(value);
      const shown = /** @type {HTMLDataElement | null} */ (
        this.root.querySelector(`data[data-key="${CSS.escape(key)}"]`)
      );
      if (shown === null) unknown.push(key);
      else if (this.#show(shown, value)) changed.push(shown);
    }
    return { changed, unknown };
  }

  /**
   * @param {HTMLDataElement} shown
   * @param {LatestValue} value
   * @returns {boolean} whether it is a newer measurement
   */
  #show(shown, value) {
    const before = seconds(shown.dataset.at);
    const at = seconds(value.measured_at);
    if (at === before && Number(shown.value) === value.value) return false;
    shown.value = String(value.value);
    shown.dataset.at = value.measured_at;
    const number = /** @type {HTMLElement} */ (shown.querySelector(".number"));
    const unit = /** @type {HTMLElement} */ (shown.querySelector(".unit"));
    number.textContent = this.#said(shown, value.value);
    if (shown.dataset.states) unit.textContent = "";
    const age = shown.closest(".card")?.querySelector("time");
    if (age && at > seconds(age.dateTime)) age.dateTime = value.measured_at;
    return true;
  }

  /**
   * @param {HTMLElement} shown
   * @param {number} value
   */
  #said(shown, value) {
    const states = shown.dataset.states ? JSON.parse(shown.dataset.states) : {};
    const decimals = [Number(shown.dataset.decimalsMin), Number(shown.dataset.decimalsMax)];
    return states[String(value)] ?? this.words.number(value, decimals[0], decimals[1]);
  }

  /** Let time pass: ages, statuses, and the sentence at the top. */
  tick() {
    const now = this.now();
    /** @type {string[]} */
    const late = [];
    const cards = /** @type {NodeListOf<HTMLElement>} */ (this.root.querySelectorAll(".card"));
    for (const card of cards) {
      const age = card.querySelector("time");
      const status = /** @type {HTMLElement} */ (card.querySelector(".status"));
      if (age) {
        const elapsed = now - seconds(age.dateTime);
        write(age, this.words.age(elapsed));
        const name = elapsed > Number(card.dataset.lateAfterS) ? "late" : "fresh";
        status.dataset.status = name;
        write(status, this.words.text(`status.${name}`));
      }
      if (status.dataset.status !== "fresh") late.push(card.dataset.name ?? "");
    }
    const summary = document.getElementById("summary");
    if (summary && !("alerts" in summary.dataset) && cards.length) {
      summary.dataset.status = late.length ? "late" : "fresh";
      write(summary, this.#summary(late, cards.length));
    }
  }

  /**
   * @param {string[]} late the names of the points to look at
   * @param {number} total
   */
  #summary(late, total) {
    if (!late.length) return this.words.plural("tenant.all_fresh", total);
    let names = late.slice(0, NAMED).join(", ");
    if (late.length > NAMED) names = this.words.plural("tenant.and_more", late.length - NAMED, { names });
    return this.words.plural("tenant.to_watch", late.length, { total, names });
  }
}

/** @param {LatestValue} value */
export function keyOf(value) {
  return `${value.point_id}:${value.quantity}:${value.channel}`;
}

/**
 * Write only what differs, so that nobody is disturbed for nothing.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string | undefined} moment */
function seconds(moment) {
  return Date.parse(moment ?? "") / 1000;
}
