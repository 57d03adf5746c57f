// Follows what is asked of a network server until nothing waits: the page says each time how far it is.

const EVERY_MS = 3000;
const MOST = 200; // looks, ten minutes

const shown = () => document.getElementById("orders");
const announced = document.getElementById("announced");

async function look() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("orders");
  const before = shown();
  if (!fresh || !before || before.textContent === fresh.textContent || before.contains(document.activeElement)) return;
  before.replaceWith(fresh);
  if (announced) announced.textContent = fresh.querySelector(".status")?.textContent ?? "";
}

async function follow() {
  for (let looks = 0; looks < MOST && shown()?.hasAttribute("data-pending"); looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    if (!document.hidden) await look();
  }
}

void follow();

export {};
