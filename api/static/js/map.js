// Sites on a map. Without it, the list beside says the same.

/** @typedef {{name: string, href: string, status: string, words: string, at: [number, number]}} Place */

/** @type {any} */
const L = /** @type {any} */ (globalThis).L;

const SINGLE_ZOOM = 14;
const GRAVITY = ["bad", "watch", "good", "none"];

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
  const gravestFirst = [...places].sort((one, other) => GRAVITY.indexOf(one.status) - GRAVITY.indexOf(other.status));
  const markers = gravestFirst.map((place) => mark(map, place));
  const bounds = L.latLngBounds(places.map((place) => place.at));
  if (places.length === 1) map.setView(places[0].at, SINGLE_ZOOM);
  else map.fitBounds(bounds, { padding: [48, 48], maxZoom: 16 });
  map.on("zoomend resize", () => declutter(markers));
  markers.forEach(nameWhenPointedAt);
  declutter(markers);
}

/**
 * Of names that would cover each other the gravest stays; the others come when one points at their place.
 *
 * @param {any[]} markers the gravest first
 */
function declutter(markers) {
  /** @type {DOMRect[]} */ const kept = [];
  for (const marker of markers) {
    const name = /** @type {HTMLElement} */ (marker.getTooltip().getElement());
    const box = name.getBoundingClientRect();
    const covers = kept.some((o) => box.left < o.right && box.right > o.left && box.top < o.bottom && box.bottom > o.top);
    name.classList.toggle("behind", covers);
    if (!covers) kept.push(box);
  }
}

/**
 * @param {any} map
 * @param {Place} place
 * @returns {any}
 */
function mark(map, place) {
  const icon = L.divIcon({ className: `pin pin-${place.status}`, iconSize: [22, 22] });
  const marker = L.marker(place.at, { icon, title: `${place.name}, ${place.words}`, alt: `${place.name}, ${place.words}` });
  marker.on("click", () => location.assign(place.href));
  marker.on("keypress", (/** @type {any} */ event) => {
    if (event.originalEvent.key === "Enter") location.assign(place.href);
  });
  marker.bindTooltip(place.name, { permanent: true, direction: "auto", offset: [0, 0], className: "pin-name" });
  return marker.addTo(map);
}

/**
 * Show the name of a place while one points at it.
 *
 * @param {any} marker on a map that has its view
 */
function nameWhenPointedAt(marker) {
  const pin = /** @type {HTMLElement} */ (marker.getElement());
  const name = /** @type {HTMLElement} */ (marker.getTooltip().getElement());
  for (const event of ["mouseenter", "focus"]) pin.addEventListener(event, () => name.classList.add("pointed-at"));
  for (const event of ["mouseleave", "blur"]) pin.addEventListener(event, () => name.classList.remove("pointed-at"));
}
