// The chart is drawn from the table below it: the same numbers, by construction.

/** @typedef {import("./words.js").Words} Words */
/** @typedef {{at: number[], columns: {role: string, values: (number | null)[]}[], rows: HTMLTableRowElement[]}} Numbers */
/** @typedef {{start: number, end: number, kind: string}} Happening */

/** @type {any} */
const uPlot = /** @type {any} */ (globalThis).uPlot;

const LEAST_ZOOM_PX = 8; // less is a click
const FONT_PX = 13;

/**
 * Read the table, oldest first. A row that says a gap has no number, which breaks the line.
 *
 * @param {HTMLElement} body
 * @returns {Numbers}
 */
export function numbers(body) {
  const rows = /** @type {HTMLTableRowElement[]} */ ([...body.querySelectorAll("tr")].reverse());
  const heads = /** @type {HTMLElement[]} */ ([...(body.closest("table")?.querySelectorAll("thead th[data-role]") ?? [])]);
  const cells = rows.map((row) => /** @type {HTMLElement[]} */ ([...row.querySelectorAll("td[data-value]")]));
  const columns = heads.map((head, column) => ({
    role: head.dataset.role ?? "level",
    values: cells.map((row) => (row[column]?.dataset.value ? Number(row[column].dataset.value) : null)),
  }));
  return { at: rows.map((row) => Number(row.dataset.at)), columns, rows };
}

export class Chart {
  /**
   * @param {HTMLElement} box
   * @param {HTMLElement} body the table's rows
   * @param {HTMLElement} pointed where the value under the pointer is written
   * @param {Words} words
   * @param {(start: number, end: number) => void} zoom what to do with a period that was drawn out, Unix times
   */
  constructor(box, body, pointed, words, zoom) {
    this.box = box;
    this.body = body;
    this.pointed = pointed;
    this.words = words;
    this.zoom = zoom;
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
    performance.mark("chart-begins");
    this.plot = new uPlot(this.#options(), this.#data(), this.box);
    performance.measure("chart", "chart-begins");
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

  /** In the order of drawing: what is drawn last lies over the rest. */
  get #ordered() {
    const order = ["low", "high", "previous", "level"];
    return [...this.numbers.columns].sort((one, other) => order.indexOf(one.role) - order.indexOf(other.role));
  }

  #data() {
    return [this.numbers.at, ...this.#ordered.map((column) => column.values)];
  }

  #size() {
    return { width: Math.max(this.box.clientWidth, 1), height: this.box.clientHeight };
  }

  #options() {
    const kind = this.box.dataset.kind ?? "line";
    const style = getComputedStyle(this.box);
    /** @param {string} name */
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const axis = { stroke: colour("muted"), font: `${FONT_PX}px ${style.fontFamily}`, ticks: { show: false } };
    const grid = { stroke: colour("line"), width: 1 };
    const { start, end } = this.body.dataset;
    const roles = this.#ordered.map((column) => column.role);
    return {
      ...this.#size(),
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 8 } },
      tzDate: (/** @type {number} */ at) => uPlot.tzDate(new Date(at * 1000), this.box.dataset.zone),
      scales: { x: { range: [Number(start), Number(end)] }, y: this.#scale(kind) },
      axes: [
        { ...axis, grid: { show: false }, size: 34, space: 70, values: this.#moments() },
        { ...axis, grid, size: this.#axisWidth(style.fontFamily), ...this.#levels() },
      ],
      series: [{}, ...roles.map((role) => this.#series(kind, role, colour))],
      bands: kind === "band" ? [{ series: [roles.indexOf("high") + 1, roles.indexOf("low") + 1], fill: colour("river-soft") }] : [],
      hooks: {
        setCursor: [(/** @type {any} */ plot) => this.#point(plot.cursor.idx)],
        setSelect: [(/** @type {any} */ plot) => this.#select(plot)],
        drawClear: [(/** @type {any} */ plot) => this.#events(plot, colour)],
        draw: [(/** @type {any} */ plot) => this.#thresholds(plot, colour("clay"))],
      },
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
        const near = this.#thresholdValues().filter((value) => value < high + (high - low) * 2 && value > low - (high - low) * 2);
        const [least_, most] = [Math.min(low, ...near), Math.max(high, ...near)];
        const pad = Math.max((most - least_) * 0.08, least * 5);
        return kind === "bars" ? [0, most + pad] : [least_ - pad, most + pad];
      },
    };
  }

  /**
   * @param {string} kind
   * @param {string} role
   * @param {(name: string) => string} colour
   */
  #series(kind, role, colour) {
    const line = { stroke: colour("river"), width: 2, spanGaps: false, points: { size: 5, fill: colour("river") } };
    if (role === "low" || role === "high") return { ...line, stroke: "transparent", width: 0, points: { show: false } };
    if (role === "previous") return { ...line, stroke: colour("sky"), width: 2, dash: [5, 4], points: { show: false } };
    if (kind === "bars") {
      return { ...line, width: 0, fill: colour("river"), paths: uPlot.paths.bars({ size: [0.72, 56] }), points: { show: false } };
    }
    return kind === "steps" ? { ...line, paths: uPlot.paths.stepped({ align: 1 }) } : line;
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
    context.font = `${FONT_PX}px ${family}`;
    return (/** @type {any} */ _, /** @type {string[] | null} */ values) =>
      Math.ceil(Math.max(30, ...(values ?? []).map((value) => context.measureText(value ?? "").width))) + 16;
  }

  #moments() {
    const timeZone = this.box.dataset.zone;
    const month = new Intl.DateTimeFormat(this.words.locale, { timeZone, month: "short", year: "2-digit" });
    const day = new Intl.DateTimeFormat(this.words.locale, { timeZone, day: "numeric", month: "short" });
    const hour = new Intl.DateTimeFormat(this.words.locale, { timeZone, hour: "2-digit", minute: "2-digit" });
    return (/** @type {any} */ _, /** @type {number[]} */ splits) => {
      const apart = splits.length > 1 ? splits[1] - splits[0] : 0;
      return splits.map((at) => {
        const moment = new Date(at * 1000);
        if (apart > 20 * 86400) return month.format(moment);
        const said = hour.format(moment);
        return said === "00:00" ? day.format(moment) : said;
      });
    };
  }

  /** @returns {number[]} */
  #thresholdValues() {
    return [...document.querySelectorAll("#evolution [data-mark=level]")].map((one) =>
      Number(/** @type {HTMLElement} */ (one).dataset.value),
    );
  }

  /**
   * Levels that rules watch, as dashed lines; the legend below says which.
   *
   * @param {any} plot
   * @param {string} colour
   */
  #thresholds(plot, colour) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([7 * devicePixelRatio, 5 * devicePixelRatio]);
    for (const value of this.#thresholdValues()) {
      const y = plot.valToPos(value, "y", true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  /**
   * Alerts as shaded spans, replacements as lines; the list below tells each.
   *
   * @param {any} plot
   * @param {(name: string) => string} colour
   */
  #events(plot, colour) {
    const { ctx, bbox } = plot;
    ctx.save();
    for (const shown of document.querySelectorAll("#events li")) {
      const { start, end, kind } = /** @type {HTMLElement} */ (shown).dataset;
      const left = Math.max(plot.valToPos(Number(start), "x", true), bbox.left);
      const right = Math.min(plot.valToPos(Number(end), "x", true), bbox.left + bbox.width);
      ctx.fillStyle = colour(kind === "bad" ? "clay-soft" : kind === "watch" ? "sun-soft" : "muted");
      ctx.fillRect(left, bbox.top, Math.max(right - left, 2 * devicePixelRatio), bbox.height);
    }
    ctx.restore();
  }

  /** @param {any} plot */
  #select(plot) {
    const { left, width } = plot.select;
    if (width < LEAST_ZOOM_PX) return;
    const start = plot.posToVal(left, "x");
    const end = plot.posToVal(left + width, "x");
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    if (end - start >= 60) this.zoom(start, end);
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
