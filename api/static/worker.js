// Answers the page that puts sensors in service, and its files, from what the phone keeps when there is no network.

const CACHE = "samara-pose";
const PAGE = "/mettre-en-service";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname } = new URL(request.url);
  if (request.method !== "GET") return;
  if (pathname.startsWith("/static/")) {
    event.respondWith(caches.match(request).then((held) => held ?? fetch(request)));
  } else if (pathname === PAGE) {
    event.respondWith(fetch(request).catch(async () => (await caches.match(PAGE)) ?? Response.error()));
  }
});
