/**
 * Says again, while a rule is being written, what it will do. The server makes the sentence: without this script the
 * page says it once the rule is kept.
 */

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-phrase]"));
const said = /** @type {HTMLOutputElement | null} */ (form?.querySelector("output.said"));

const WAIT_MS = 300;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;
let asked = 0;

async function say() {
  if (!form || !said) return;
  const mine = ++asked;
  const given = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value) given.append(name, value);
  const answer = await fetch(`${form.dataset.phrase}?${given}`);
  if (!answer.ok || mine !== asked) return;
  const { sentence } = /** @type {{ sentence: string }} */ (await answer.json());
  said.textContent = sentence;
  said.hidden = sentence === "";
}

form?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => void say().catch(() => undefined), WAIT_MS);
});

export {};
