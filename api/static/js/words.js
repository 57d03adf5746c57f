// Numbers and ages as people read them: what api/pages/words.py says, again, for what changes in the page.

const MINUTE_S = 60;

/** @type {[string, number][]} */
const AGES = [
  ["years", 365 * 86400],
  ["months", 30 * 86400],
  ["days", 86400],
  ["hours", 3600],
];

/** @typedef {string | Record<string, string>} Entry A text, or its plural forms. */

export class Words {
  /**
   * @param {Record<string, Entry>} entries
   * @param {string} language "fr" or "en"
   */
  constructor(entries, language) {
    this.entries = entries;
    this.language = language;
    this.locale = language === "fr" ? "fr-FR" : "en-GB";
  }

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [values]
   * @returns {string}
   */
  text(key, values = {}) {
    return fill(/** @type {string} */ (this.entries[key]), values);
  }

  /**
   * @param {string} key
   * @param {number} n
   * @param {Record<string, string | number>} [values]
   * @returns {string}
   */
  plural(key, n, values = {}) {
    const singular = this.language === "fr" ? Math.abs(n) < 2 : n === 1;
    const forms = /** @type {Record<string, string>} */ (this.entries[key]);
    return fill(forms[singular ? "one" : "other"], { n, ...values });
  }

  /**
   * @param {number} value
   * @param {number} decimalsMin
   * @param {number} decimalsMax
   * @returns {string}
   */
  number(value, decimalsMin, decimalsMax) {
    const said = new Intl.NumberFormat(this.locale, {
      minimumFractionDigits: decimalsMin,
      maximumFractionDigits: decimalsMax,
    }).format(value);
    return /^-[0.,\s]*$/.test(said) ? said.slice(1) : said; // no "-0"
  }

  /**
   * @param {number} seconds
   * @returns {string} such as "il y a 3 minutes"
   */
  age(seconds) {
    if (seconds < MINUTE_S) return this.text("age.now");
    for (const [key, size] of AGES) {
      if (seconds >= size) return this.plural(`age.${key}`, Math.floor(seconds / size));
    }
    return this.plural("age.minutes", Math.floor(seconds / MINUTE_S));
  }
}

/**
 * @param {string} text
 * @param {Record<string, string | number>} values
 * @returns {string}
 */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
