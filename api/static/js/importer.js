// Takes a list some rows at a time and shows how far it is. Without it, a button goes on each time.

const announced = document.getElementById("announced");

/** @param {HTMLFormElement} form */
async function take(form) {
  const body = new URLSearchParams(/** @type {[string, string][]} */ ([...new FormData(form)]));
  const answer = await fetch(form.action, { method: "POST", body });
  if (!answer.ok) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("progress");
  const next = /** @type {HTMLFormElement | null} */ (fresh?.querySelector("[data-take]") ?? null);
  if (!fresh || !next) {
    location.assign(answer.url); // all were taken: their page says what became of them
    return;
  }
  document.getElementById("progress")?.replaceWith(fresh);
  if (announced) announced.textContent = fresh.querySelector("dd")?.textContent ?? "";
  await take(next);
}

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("[data-take]"))) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    if (button) button.disabled = true;
    take(form).catch(() => location.reload()); // how far it is, with the button that goes on
  });
}

export {};
