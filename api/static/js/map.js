// Sites on a map. Without it, the list beside says the same.

/** @typedef {{name: string, href: string, status: string, words: string, at: [number, number]}} Place */

/** @type {any} */
const L = /** @type {any} */ (globalThis).L;

const SINGLE_ZOOM = 14;

const box = document.getElementById("map");
const places = /** @type {Place[]} */ (JSON.parse(document.getElementById("map-sites")?.textContent ?? "[]"));
if (box && places.length) draw(box, places);

/**
 * @param {HTMLElement} box
 * @param {Place[]} places
 */
function draw(box, places) {
  box.hidden = false;
  const map = L.map(box, { zoomControl: false, scrollWheelZoom: false, attributionControl: Boolean(box.dataset.credit) });
  map.attributionControl?.setPrefix(false);
  L.control.zoom({ zoomInTitle: box.dataset.zoomIn, zoomOutTitle: box.dataset.zoomOut }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  if (box.dataset.tiles) L.tileLayer(box.dataset.tiles, { attribution: box.dataset.credit, maxZoom: 19 }).addTo(map);
  for (const place of places) mark(map, place);
  const bounds = L.latLngBounds(places.map((place) => place.at));
  if (places.length === 1) map.setView(places[0].at, SINGLE_ZOOM);
  else map.fitBounds(bounds, { padding: [48, 48], maxZoom: 16 });
}

/**
 * @param {any} map
 * @param {Place} place
 */
function mark(map, place) {
  const icon = L.divIcon({ className: `pin pin-${place.status}`, iconSize: [22, 22] });
  const marker = L.marker(place.at, { icon, title: `${place.name}, ${place.words}`, alt: `${place.name}, ${place.words}` });
  marker.on("click", () => location.assign(place.href));
  marker.on("keypress", (/** @type {any} */ event) => {
    if (event.originalEvent.key === "Enter") location.assign(place.href);
  });
  marker.bindTooltip(place.name, { permanent: true, direction: "auto", offset: [0, 0], className: "pin-name" });
  marker.addTo(map);
}
