// What was installed without a network waits on this phone, and is sent when there is one. Sending twice does no harm.

/**
 * @typedef {object} Waiting
 * @property {string} key sent as Idempotency-Key
 * @property {string} tenant slug
 * @property {Record<string, unknown>} body of POST /api/v1/installations
 * @property {string} [why] it was refused: one word
 * @property {string} [detail]
 */

const texts = JSON.parse(document.getElementById("queue-texts")?.textContent ?? "{}");
const section = document.getElementById("queue");
const TENANTS = "samara.tenants";
const CACHE = "samara-pose";
const PAGE = "/mettre-en-service";
const POSITION_MS = 8000;

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("samara", 1);
    asked.addEventListener("upgradeneeded", () => asked.result.createObjectStore("installations", { keyPath: "key" }));
    asked.addEventListener("success", () => resolve(asked.result));
    asked.addEventListener("error", () => reject(asked.error));
  });
}

/**
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} work
 * @returns {Promise<any>}
 */
async function stored(mode, work) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const asked = work(database.transaction("installations", mode).objectStore("installations"));
      asked.addEventListener("success", () => resolve(asked.result));
      asked.addEventListener("error", () => reject(asked.error));
    });
  } finally {
    database.close();
  }
}

/** @returns {Promise<Waiting[]>} */
const all = () => stored("readonly", (store) => store.getAll());
/** @param {Waiting} one */
const keep = (one) => stored("readwrite", (store) => store.put(one));
/** @param {string} key */
const forget = (key) => stored("readwrite", (store) => store.delete(key));

/** Send all that waits, and show what became of it. */
async function send() {
  /** @type {{ text: string, href: string }[]} */
  const sent = [];
  for (const one of (await all()).filter((each) => !each.why)) {
    const answer = await fetch(`/api/v1/installations?tenant=${encodeURIComponent(one.tenant)}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": one.key },
      body: JSON.stringify(one.body),
    }).catch(() => null);
    if (!answer || answer.status >= 500 || answer.status === 401 || answer.status === 429) break;
    const said = await answer.json().catch(() => ({}));
    if (answer.ok) {
      await forget(one.key);
      sent.push({ text: said.dev_eui, href: `/t/${one.tenant}/mises-en-service/${said.dev_eui}` });
    } else {
      await keep({ ...one, why: said.why ?? String(answer.status), detail: said.detail ?? said.title ?? "" });
    }
  }
  await show(sent);
}

/** @param {{ text: string, href: string }[]} sent */
async function show(sent) {
  if (!section) return;
  const waiting = await all();
  section.hidden = waiting.length + sent.length === 0;
  section.className = "surface";
  const title = document.createElement("h2");
  title.textContent = texts["queue.title"];
  const list = document.createElement("ul");
  list.className = "queue";
  for (const one of waiting) list.append(line(one));
  for (const { text, href } of sent) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = href;
    link.textContent = text;
    item.append(`${texts["queue.sent"]} `, link);
    list.append(item);
  }
  section.replaceChildren(title, list);
}

/** @param {Waiting} one */
function line(one) {
  const item = document.createElement("li");
  const name = document.createElement("strong");
  name.textContent = `${one.body.point_name ?? ""}, ${one.body.site_name ?? ""}`;
  const state = document.createElement("p");
  state.textContent = one.why ? (texts[`queue.why.${one.why}`] ?? `${texts["queue.refused"]} ${one.detail ?? ""}`) : texts["queue.waiting"];
  item.append(name, state);
  if (one.why === "occupied") item.append(button("queue.replace", () => again(one, { replaces: true })));
  if (one.why === "elsewhere") item.append(button("queue.move", () => again(one, { moves: true })));
  if (one.why && one.why !== "occupied" && one.why !== "elsewhere") item.append(button("queue.again", () => again(one, {})));
  item.append(button("queue.drop", () => forget(one.key)));
  return item;
}

/**
 * @param {string} key
 * @param {() => Promise<unknown>} work
 */
function button(key, work) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button quiet";
  made.textContent = texts[key];
  made.addEventListener("click", () => void work().then(() => send()));
  return made;
}

/**
 * @param {Waiting} one
 * @param {Record<string, unknown>} changes
 */
async function again(one, changes) {
  await forget(one.key);
  await keep({ key: crypto.randomUUID(), tenant: one.tenant, body: { ...one.body, ...changes } });
}

/** @returns {Promise<{ latitude_deg?: number, longitude_deg?: number }>} */
function here() {
  return new Promise((resolve) => {
    if (!("geolocation" in navigator)) return resolve({});
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ latitude_deg: coords.latitude, longitude_deg: coords.longitude }),
      () => resolve({}),
      { enableHighAccuracy: true, timeout: POSITION_MS, maximumAge: 60_000 },
    );
  });
}

/** @typedef {{ slug: string, name: string, insee: string | null }} Tenant */

/** Keep what a phone needs when there is no network: the page, its files, the names of the tenants. */
async function prepare() {
  if (location.pathname !== PAGE || !("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(`${PAGE}/worker.js`, { scope: PAGE });
  const cache = await caches.open(CACHE);
  const scanner = document.getElementById("scanner")?.dataset ?? {};
  const files = performance.getEntriesByType("resource").map((entry) => entry.name);
  const wanted = [...files.filter((name) => new URL(name).pathname.startsWith("/static/")), scanner.reader, scanner.wasm];
  const shell = await fetch(PAGE);
  if (!shell.ok || shell.redirected) return;
  for (const held of await cache.keys()) await cache.delete(held);
  await cache.put(PAGE, shell);
  await cache.addAll([...new Set(wanted.filter((name) => name !== undefined))]);
  const answer = await fetch("/api/v1/tenants?limit=1000");
  if (answer.ok) localStorage.setItem(TENANTS, JSON.stringify((await answer.json()).items));
}

/** @param {boolean} away */
function turn(away) {
  const later = document.getElementById("offline");
  const now = document.getElementById("identify");
  if (!later || !now) return;
  later.hidden = !away;
  now.hidden = away;
  if (!away) return;
  /** @type {Tenant[]} */
  const known = JSON.parse(localStorage.getItem(TENANTS) ?? "[]");
  const options = known.map(({ slug, name }) => new Option(name, slug));
  document.getElementById("known-tenants")?.replaceChildren(...options);
}

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("later"));
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = new FormData(form);
  const text = (/** @type {string} */ name) => String(given.get(name) ?? "").trim();
  /** @type {Tenant[]} */
  const known = JSON.parse(localStorage.getItem(TENANTS) ?? "[]");
  const said = text("later_tenant");
  const found = known.find(({ slug, name, insee }) => [slug, name.toLowerCase(), insee].includes(said.toLowerCase()));
  const done_at = new Date().toISOString();
  void here().then(async (position) => {
    const body = {
      code: text("later_code"),
      site_name: text("later_site"),
      point_name: text("later_point"),
      note: text("later_note"),
      done_at,
      ...position,
    };
    await keep({ key: crypto.randomUUID(), tenant: found?.slug ?? said.toLowerCase(), body });
    form.reset();
    await (navigator.onLine ? send() : show([]));
  });
});

addEventListener("online", () => {
  turn(false);
  void send();
});
addEventListener("offline", () => turn(true));
turn(!navigator.onLine);
if (navigator.onLine) {
  void send();
  addEventListener("load", () => void prepare().catch(() => undefined));
} else {
  void show([]);
}

export {};
