// Answers the pages that put sensors in service, and their files, from what the phone keeps when there is no network, or
// one so bad that nothing comes.

const CACHE = "samara-pose";
const PAGE = "/mettre-en-service";
const PATIENCE_MS = 8000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (new URL(request.url).pathname.startsWith("/static/")) {
    event.respondWith(kept(request).then((found) => found ?? fetch(request)));
  } else if (request.mode === "navigate") {
    event.respondWith(page(request));
  }
});

/** @param {Request | string} request */
async function kept(request) {
  return (await caches.open(CACHE)).match(request, { ignoreVary: true });
}

/** @param {Request} request of a page: any of them is the kept one, which reads its address, when nothing comes in time */
async function page(request) {
  const asked = fetch(request);
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  const answer = await Promise.race([asked, late]).catch(() => undefined);
  return answer ?? (await kept(PAGE)) ?? asked;
}
