// What was installed without a network waits on this phone, and is sent when there is one. Sending twice does no harm.

/**
 * @typedef {object} Waiting
 * @property {string} key sent as Idempotency-Key
 * @property {string} tenant slug
 * @property {Record<string, unknown>} body of POST /api/v1/installations
 * @property {string} [why] it was refused: one word
 * @property {string} [found] the part of the code that is meant
 * @property {string} [detail]
 */

/** @typedef {{ text: string, href: string, keys: boolean }} Sent what was sent; `keys` are to be typed now, if it has some */

const texts = JSON.parse(document.getElementById("queue-texts")?.textContent ?? "{}");
const section = document.getElementById("queue");
const TENANTS = "samara.tenants";
const CACHE = "samara-pose";
const PAGE = "/mettre-en-service";
const POSITION_MS = 8000;
const AGAIN_MS = 20_000; // a phone often does not know that it has a network again

let isSignedOut = false;

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

/** Send all that waits, and show what became of it. One tab at a time: the others would meet what it is sending. */
async function send() {
  await (navigator.locks ? navigator.locks.request("samara-queue", sendAll) : sendAll());
}

async function sendAll() {
  /** @type {Sent[]} */
  const sent = [];
  for (const one of (await all()).filter((each) => !each.why)) {
    const answer = await fetch(`/api/v1/installations?tenant=${encodeURIComponent(one.tenant)}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": one.key },
      body: JSON.stringify(one.body),
    }).catch(() => null);
    isSignedOut = answer?.status === 401;
    if (!answer || answer.status >= 500 || isSignedOut || answer.status === 429) break;
    const said = await answer.json().catch(() => ({}));
    if (answer.ok) {
      await forget(one.key);
      const href = `/t/${one.tenant}/mises-en-service/${said.dev_eui}`;
      sent.push({ text: said.dev_eui, href, keys: said.served === true });
    } else {
      await keep({ ...one, why: said.why ?? String(answer.status), found: said.found, detail: said.detail ?? said.title ?? "" });
    }
  }
  await show(sent);
}

/** @param {Sent[]} sent */
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
  for (const { text, href, keys } of sent) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = href;
    link.textContent = text;
    item.append(`${texts["queue.sent"]} `, link);
    if (keys) {
      const later = document.createElement("a");
      later.href = `${href}#serveur-reseau`;
      later.textContent = texts["queue.keys"];
      item.append(" ", later);
    }
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
  if (one.why) state.textContent = refusal(one);
  else state.textContent = texts[isSignedOut ? "queue.signed_out" : "queue.waiting"];
  item.append(name, state);
  if (one.why === "occupied") item.append(button("queue.replace", () => again(one, { replaces: true })));
  if (one.why === "elsewhere") item.append(button("queue.move", () => again(one, { moves: true })));
  if (one.why && one.why !== "occupied" && one.why !== "elsewhere") item.append(button("queue.again", () => again(one, {})));
  item.append(button("queue.drop", () => forget(one.key)));
  return item;
}

/** @param {Waiting} one */
function refusal({ why, detail, found }) {
  const code = texts[`pose.why.${why}`]?.replace("{found}", found ?? ""); // as the page says it of a code that is typed
  return texts[`queue.why.${why}`] ?? `${texts["queue.refused"]} ${code ?? detail ?? ""}`;
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

/**
 * Network keys are not kept on a phone: some vendors print them in the code beside the DevEUI.
 *
 * @param {string} code
 */
function keyless(code) {
  if (/^[0-9a-f]{16}\s+[0-9a-f]{16}$/i.test(code)) return code; // two EUIs
  const key = /(?:[0-9a-f]{2}[-: .]?){16}/gi;
  if (!/^(LW|URN):/i.test(code)) return code.replace(key, "");
  return /[0-9a-f]{32}/i.test(code) ? code.split(":").slice(0, 5).join(":") : code; // without its extensions
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
  const wanted = [...files.filter((name) => new URL(name).pathname.startsWith("/static/")), scanner.reader, scanner.wasm]
    .filter((name) => name !== undefined)
    .map((name) => new URL(name, location.origin).href);
  const shell = await fetch(PAGE);
  if (!shell.ok || shell.redirected) return;
  const missing = [];
  for (const name of new Set(wanted)) if (!(await cache.match(name))) missing.push(name);
  await cache.addAll(missing);
  await cache.put(PAGE, await marked(shell));
  const used = new Set([...wanted, new URL(PAGE, location.origin).href]); // what was kept before is dropped last
  for (const held of await cache.keys()) if (!used.has(held.url)) await cache.delete(held);
  const answer = await fetch("/api/v1/tenants?limit=1000");
  if (answer.ok) localStorage.setItem(TENANTS, JSON.stringify((await answer.json()).items));
}

/**
 * @param {Response} shell
 * @returns {Promise<Response>} the page, which says that it is the one that the phone kept
 */
async function marked(shell) {
  const headers = new Headers(shell.headers);
  for (const name of ["Content-Encoding", "Content-Length"]) headers.delete(name);
  return new Response((await shell.text()).replace("<html", "<html data-kept"), { headers });
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
      code: keyless(text("later_code")),
      site_name: text("later_site"),
      point_name: text("later_point"),
      note: text("later_note"),
      done_at,
      ...position,
    };
    await keep({ key: crypto.randomUUID(), tenant: found?.slug ?? said.toLowerCase(), body });
    void navigator.storage?.persist?.();
    form.reset();
    await (navigator.onLine ? send() : show([]));
  });
});

const isKept = "kept" in document.documentElement.dataset; // nothing came in time, whatever the phone thinks of its network
const [, asked] = /^\/mettre-en-service\/([0-9a-f]{16})$/.exec(location.pathname) ?? [];
for (const name of asked ? ["field-code", "field-later_code"] : []) {
  const field = /** @type {HTMLInputElement | null} */ (document.getElementById(name));
  if (field) field.value = asked ?? "";
}

addEventListener("online", () => {
  turn(false);
  void send();
});
addEventListener("offline", () => turn(true));
turn(isKept || !navigator.onLine);
if (navigator.onLine) void send();
else void show([]);
if (navigator.onLine && !isKept) addEventListener("load", () => void prepare().catch(() => undefined));
setInterval(async () => {
  if (!document.hidden && (await all()).some((one) => !one.why)) await send();
}, AGAIN_MS);

export {};
