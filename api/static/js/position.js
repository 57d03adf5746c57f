// Where the phone is: fills the fields of a position, or asks the page for what is near by.

const said = /** @type {HTMLElement | null} */ (document.querySelector("[data-said]"));
const DIGITS = 6;

/** @param {(latitude: string, longitude: string) => void} use */
function locate(use) {
  if (said) said.textContent = "";
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => use(coords.latitude.toFixed(DIGITS), coords.longitude.toFixed(DIGITS)),
    () => {
      if (said) said.textContent = said.dataset.refused ?? "";
    },
    { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 },
  );
}

const around = /** @type {HTMLButtonElement | null} */ (document.querySelector("[data-around]"));
const fill = /** @type {HTMLButtonElement | null} */ (document.querySelector("[data-fill]"));
if (around && "geolocation" in navigator) {
  around.hidden = false;
  around.addEventListener("click", () =>
    locate((latitude, longitude) => {
      const address = new URL(location.href);
      address.searchParams.set("lat", latitude);
      address.searchParams.set("lon", longitude);
      location.assign(address);
    }),
  );
}
if (fill && "geolocation" in navigator) {
  fill.hidden = false;
  fill.addEventListener("click", () =>
    locate((latitude, longitude) => {
      /** @type {HTMLInputElement} */ (document.getElementById("field-lat")).value = latitude;
      /** @type {HTMLInputElement} */ (document.getElementById("field-lon")).value = longitude;
    }),
  );
}

export {};
