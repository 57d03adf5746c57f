// Sends a phone's forms without leaving the page: when no answer comes, what was written is still there, and it is said.

const PATIENCE_MS = 20_000;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.careful === undefined) return;
  event.preventDefault();
  if (form.getAttribute("aria-busy") !== "true") void send(form);
});

/** @param {HTMLFormElement} form */
async function send(form) {
  const fields = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]));
  say(form, "");
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body: fields, signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.redirected) location.assign(answer.url);
    else show(form, await answer.text());
  } catch {
    say(form, form.dataset.careful ?? "");
  }
  form.removeAttribute("aria-busy");
}

/**
 * What the server had to say instead of going on: the same page with what was wrong.
 *
 * @param {HTMLFormElement} form
 * @param {string} html
 */
function show(form, html) {
  if (form.dataset.again !== undefined) return form.submit(); // a page whose scripts must begin anew; nothing was done
  const page = new DOMParser().parseFromString(html, "text/html");
  const fresh = page.querySelector("main");
  if (!fresh) return form.submit();
  document.title = page.title;
  document.querySelector("main")?.replaceWith(fresh);
  scrollTo({ top: 0 });
  const said = /** @type {HTMLElement | null} */ (fresh.querySelector("[role=alert]"));
  if (!said) return fresh.focus();
  said.tabIndex = -1;
  said.focus();
}

/**
 * @param {HTMLFormElement} form
 * @param {string} text
 */
function say(form, text) {
  const before = form.querySelector("[data-away]");
  if (!text) return before?.remove();
  const said = before ?? document.createElement("p");
  said.className = "complaint";
  said.setAttribute("role", "alert");
  said.setAttribute("data-away", "");
  said.textContent = text;
  if (!before) form.append(said);
}

export {};
