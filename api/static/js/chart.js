// The chart is drawn from the table below it: the same numbers, by construction.

/** @typedef {import("./words.js").Words} Words */

/** @type {any} */
const uPlot = /** @type {any} */ (globalThis).uPlot;

/** @typedef {{at: number[], columns: (number | null)[][], rows: (HTMLTableRowElement)[]}} Numbers */

/**
 * Read the table, oldest first. A row that says a gap has no number, which breaks the line.
 *
 * @param {HTMLElement} body
 * @returns {Numbers}
 */
export function numbers(body) {
  const rows = /** @type {HTMLTableRowElement[]} */ ([...body.querySelectorAll("tr")].reverse());
  const width = Math.max(...rows.map((row) => row.querySelectorAll("td[data-value]").length), 1);
  const columns = Array.from({ length: width }, (_, column) =>
    rows.map((row) => {
      const cell = /** @type {HTMLElement | undefined} */ (row.querySelectorAll("td[data-value]")[column]);
      return cell ? Number(cell.dataset.value) : null;
    }),
  );
  return { at: rows.map((row) => Number(row.dataset.at)), columns, rows };
}

export class Chart {
  /**
   * @param {HTMLElement} box
   * @param {HTMLElement} body the table's rows
   * @param {HTMLElement} pointed where the value under the pointer is written
   * @param {Words} words
   */
  constructor(box, body, pointed, words) {
    this.box = box;
    this.body = body;
    this.pointed = pointed;
    this.words = words;
    this.plot = null;
    this.numbers = numbers(body);
    this.resized = new ResizeObserver(() => this.plot?.setSize(this.#size()));
    this.resized.observe(box);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.draw();
    this.dark.addEventListener("change", this.redraw);
    pointed.hidden = !matchMedia("(hover: hover)").matches;
    this.draw();
  }

  draw() {
    this.plot?.destroy();
    this.plot = new uPlot(this.#options(), this.#data(), this.box);
  }

  /** Take the table's numbers again. */
  refresh() {
    this.numbers = numbers(this.body);
    this.draw();
  }

  destroy() {
    this.resized.disconnect();
    this.dark.removeEventListener("change", this.redraw);
    this.plot?.destroy();
  }

  #data() {
    const [level, ...bounds] = this.numbers.columns; // the level is drawn last, over its band
    return [this.numbers.at, ...bounds, level];
  }

  #size() {
    return { width: Math.max(this.box.clientWidth, 1), height: this.box.clientHeight };
  }

  #options() {
    const kind = this.box.dataset.kind ?? "line";
    const style = getComputedStyle(this.box);
    /** @param {string} name */
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const axis = { stroke: colour("muted"), font: `13px ${style.fontFamily}`, ticks: { show: false } };
    const grid = { stroke: colour("line"), width: 1 };
    const { start, end } = this.body.dataset;
    return {
      ...this.#size(),
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
      tzDate: (/** @type {number} */ at) => uPlot.tzDate(new Date(at * 1000), this.box.dataset.zone),
      scales: { x: { range: [Number(start), Number(end)] }, y: this.#scale(kind) },
      axes: [
        { ...axis, grid: { show: false }, size: 34, space: 70, values: this.#moments() },
        { ...axis, grid, size: this.#axisWidth(style.fontFamily), ...this.#levels() },
      ],
      series: [{}, ...this.#series(kind, colour("river"))],
      bands: kind === "band" ? [{ series: [2, 1], fill: colour("river-soft") }] : [],
      hooks: { setCursor: [(/** @type {any} */ plot) => this.#point(plot.cursor.idx)] },
    };
  }

  /** @param {string} kind */
  #scale(kind) {
    if (kind === "steps") return { range: [-0.15, 1.15] };
    const least = 10 ** -Number(this.box.dataset.decimalsMax); // the smallest step that is written
    return {
      /** @type {(plot: any, low: number | null, high: number | null) => [number, number]} */
      range: (_, low, high) => {
        if (low === null || high === null) return [0, 1];
        const pad = Math.max((high - low) * 0.08, least * 5);
        return kind === "bars" ? [0, high + pad] : [low - pad, high + pad];
      },
    };
  }

  /**
   * @param {string} kind
   * @param {string} colour
   */
  #series(kind, colour) {
    const line = { stroke: colour, width: 2, spanGaps: false, points: { size: 5, fill: colour } };
    if (kind === "bars") return [{ ...line, width: 0, fill: colour, paths: uPlot.paths.bars({ size: [0.72, 56] }), points: { show: false } }];
    if (kind === "steps") return [{ ...line, paths: uPlot.paths.stepped({ align: 1 }) }];
    const edge = { ...line, stroke: "transparent", width: 0, points: { show: false } };
    return kind === "band" ? [edge, edge, line] : [line];
  }

  /** How the vertical axis is written: numbers with the decimals they need, or the words of the states. */
  #levels() {
    const states = this.box.dataset.states ? JSON.parse(this.box.dataset.states) : null;
    if (states) return { splits: [0, 1], values: [states["0"], states["1"]] };
    const most = Number(this.box.dataset.decimalsMax);
    return {
      values: (/** @type {any} */ _, /** @type {number[]} */ splits) => {
        const step = splits.length > 1 ? Math.abs(splits[1] - splits[0]) : 1;
        const decimals = Math.min(Math.max(0, Math.ceil(-Math.log10(step))), Math.max(most, 1));
        return splits.map((split) => this.words.number(split, decimals, decimals) + (this.box.dataset.unit ?? ""));
      },
    };
  }

  /** @param {string} family */
  #axisWidth(family) {
    const context = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    context.font = `13px ${family}`;
    return (/** @type {any} */ _, /** @type {string[] | null} */ values) =>
      Math.ceil(Math.max(30, ...(values ?? []).map((value) => context.measureText(value ?? "").width))) + 16;
  }

  #moments() {
    const timeZone = this.box.dataset.zone;
    const day = new Intl.DateTimeFormat(this.words.locale, { timeZone, day: "numeric", month: "short" });
    const hour = new Intl.DateTimeFormat(this.words.locale, { timeZone, hour: "2-digit", minute: "2-digit" });
    return (/** @type {any} */ _, /** @type {number[]} */ splits) =>
      splits.map((at) => {
        const moment = new Date(at * 1000);
        const said = hour.format(moment);
        return said === "00:00" ? day.format(moment) : said;
      });
  }

  /** @param {number | null | undefined} index */
  #point(index) {
    const row = index === null || index === undefined ? undefined : this.numbers.rows[index];
    if (row === undefined) {
      this.pointed.textContent = this.pointed.dataset.idle ?? "";
      return;
    }
    const heads = [...(row.closest("table")?.querySelectorAll("thead th") ?? [])].map((head) => head.textContent);
    const cells = [...row.cells].map((cell, column) =>
      column > 0 && row.cells.length > 2 ? `${heads[column]} ${cell.textContent}` : cell.textContent,
    );
    this.pointed.textContent = cells.join(" · ");
  }
}
