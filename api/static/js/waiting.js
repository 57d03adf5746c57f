// Follows a sensor until its first frames have come: the server says each time how far it is.

const EVERY_MS = 3000;
const TICK_MS = 1000;
const AFTER_HEARD = 20; // looks more, for the figures of the next frames

const texts = JSON.parse(document.getElementById("wait-texts")?.textContent ?? "{}");
const announced = /** @type {HTMLElement} */ (document.getElementById("announced"));
let left = AFTER_HEARD;

const progress = () => /** @type {HTMLElement} */ (document.getElementById("progress"));
let ahead = Date.parse(progress().dataset.now ?? "") - Date.now(); // this phone's clock may be wrong

function tick() {
  const shown = /** @type {HTMLElement | null} */ (document.querySelector("[data-expected]"));
  if (!shown) return;
  const seconds = Math.round((Date.parse(shown.dataset.expected ?? "") - Date.now() - ahead) / 1000);
  shown.hidden = seconds <= 0;
  const rest = String(seconds % 60).padStart(2, "0");
  shown.textContent = (texts["wait.countdown"] ?? "").replace("{left}", `${Math.floor(seconds / 60)}:${rest}`);
}

async function look() {
  const answer = await fetch(location.href).catch(() => null);
  const away = document.getElementById("away");
  if (away) away.hidden = answer !== null;
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("progress");
  if (!fresh) return;
  const before = progress().querySelector("h1")?.textContent;
  const after = fresh.querySelector("h1")?.textContent ?? "";
  const focused = [...progress().querySelectorAll("a, button")].indexOf(/** @type {Element} */ (document.activeElement));
  document.title = page.title;
  progress().replaceWith(fresh);
  ahead = Date.parse(fresh.dataset.now ?? "") - Date.now();
  if (focused >= 0) /** @type {HTMLElement} */ (fresh.querySelectorAll("a, button")[focused])?.focus({ preventScroll: true });
  if (before !== after) announced.textContent = after;
  dress();
}

function dress() {
  const print = /** @type {HTMLButtonElement | null} */ (document.querySelector("[data-print]"));
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
  tick();
}

async function follow() {
  while (left > 0) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    if (document.hidden) continue;
    await look();
    if (progress().dataset.heard === "yes") left -= 1;
  }
}

dress();
setInterval(tick, TICK_MS);
void follow();

export {};
