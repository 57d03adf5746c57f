// The service worker. It keeps how pages look, and a page for when there is no network; never what they say: measurements
// are asked of the server each time, and leave nothing on the device.

/** @type {any} */
const worker = self;

const VERSION = new URL(location.href).searchParams.get("v") ?? "";
const LOOKS = `/static/${VERSION}/`;
const OURS = "looks-"; // other caches belong to other workers: the page that puts sensors in service keeps itself
const CACHE = `${OURS}${VERSION}`;
const OFFLINE = "/hors-ligne";

worker.addEventListener("install", (/** @type {any} */ event) => {
  event.waitUntil(
    caches.open(CACHE).then(async (kept) => {
      await kept.add(new Request(OFFLINE, { credentials: "omit" })); // nobody's: no name in it
      await kept.addAll([`${LOOKS}samara.css`, `${LOOKS}icon.svg`]);
      await worker.skipWaiting();
    }),
  );
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(
    caches.keys().then(async (names) => {
      await Promise.all(names.filter((name) => name.startsWith(OURS) && name !== CACHE).map((name) => caches.delete(name)));
      await worker.clients.claim();
    }),
  );
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin) return;
  if (address.pathname.startsWith(LOOKS)) event.respondWith(kept(request));
  else if (request.mode === "navigate") event.respondWith(fetch(request).catch(offline));
});

/** @param {Request} request of a file that never changes */
async function kept(request) {
  const found = await caches.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await caches.open(CACHE).then((cache) => cache.put(request, answer.clone()));
  return answer;
}

async function offline() {
  return (await caches.match(OFFLINE)) ?? Response.error();
}
