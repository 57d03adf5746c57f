// Makes a picture small enough for a bad connection, and sends it.

const LARGEST_PX = 1280;
const QUALITY = 0.8;

const section = document.getElementById("photo");
const texts = JSON.parse(document.getElementById("photo-texts")?.textContent ?? "{}");

if (section) {
  const input = /** @type {HTMLInputElement} */ (document.getElementById("snapshot"));
  const said = /** @type {HTMLElement} */ (document.getElementById("photo-said"));
  const again = /** @type {HTMLButtonElement} */ (document.getElementById("photo-again"));
  /** @type {Blob | undefined} */
  let picture; // which has not arrived

  const send = async () => {
    if (!picture) return;
    again.hidden = true;
    said.textContent = texts["photo.sending"];
    try {
      const answer = await fetch(section.dataset.photos ?? "", { method: "POST", body: picture });
      said.textContent = texts[answer.ok ? "photo.sent" : "photo.refused"];
      picture = undefined;
    } catch {
      said.textContent = texts["photo.failed"];
      again.hidden = false;
    }
  };

  input.addEventListener("change", async () => {
    const file = input.files?.[0];
    if (!file) return;
    picture = await small(file).catch(() => undefined);
    input.value = "";
    if (picture) await send();
    else said.textContent = texts["photo.refused"];
  });
  again.addEventListener("click", send);
  addEventListener("online", send);
  section.hidden = false;
}

/**
 * @param {File} file
 * @returns {Promise<Blob>} a JPEG
 */
async function small(file) {
  const image = await createImageBitmap(file);
  const scale = Math.min(1, LARGEST_PX / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((made) => (made ? resolve(made) : reject(new Error("no picture"))), "image/jpeg", QUALITY),
  );
}

export {};
