// Reads the code of a sensor with the camera or from a photo: BarcodeDetector where the browser has it, else zxing-wasm.

const EVERY_MS = 150;
const LARGEST_PX = 1600;

/** @typedef {(image: HTMLCanvasElement) => Promise<string>} Read the text of a code in an image, "" without one */

const scanner = document.getElementById("scanner");
const texts = JSON.parse(document.getElementById("scan-texts")?.textContent ?? "{}");
if (scanner) start(scanner);

/** @param {HTMLElement} scanner */
function start(scanner) {
  const view = /** @type {HTMLVideoElement} */ (document.getElementById("view"));
  const scan = /** @type {HTMLButtonElement} */ (document.getElementById("scan"));
  const stop = /** @type {HTMLButtonElement} */ (document.getElementById("stop"));
  const picture = /** @type {HTMLInputElement} */ (document.getElementById("picture"));
  const said = /** @type {HTMLElement} */ (document.getElementById("scan-said"));
  /** @type {Promise<Read> | undefined} */
  let prepared;
  const prepare = () => (prepared ??= reader(scanner.dataset));
  /** @type {MediaStream | undefined} */
  let stream;

  const say = (/** @type {string} */ key) => {
    said.textContent = key ? texts[key] : "";
  };
  const end = () => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    view.srcObject = null;
    view.hidden = stop.hidden = true;
    scan.hidden = false;
  };

  const look = async () => {
    const canvas = document.createElement("canvas");
    const read = await prepare();
    while (stream) {
      if (view.videoWidth) {
        const code = await read(drawn(canvas, view, view.videoWidth, view.videoHeight));
        if (code && stream) {
          end();
          navigator.vibrate?.(80);
          take(code);
          return;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  };

  scan.addEventListener("click", async () => {
    say("scan.opening");
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
    } catch (error) {
      say(/** @type {DOMException} */ (error).name === "NotAllowedError" ? "scan.refused" : "scan.no_camera");
      return;
    }
    view.srcObject = stream;
    view.hidden = stop.hidden = false;
    scan.hidden = true;
    say("scan.aim");
    await view.play().catch(() => undefined);
    await look().catch(() => {
      end();
      say("scan.failed");
    });
  });
  stop.addEventListener("click", () => {
    end();
    say("");
    scan.focus();
  });
  addEventListener("pagehide", end);

  picture.addEventListener("change", async () => {
    const file = picture.files?.[0];
    if (!file) return;
    say("scan.looking");
    try {
      const image = await createImageBitmap(file);
      const code = await (await prepare())(drawn(document.createElement("canvas"), image, image.width, image.height));
      if (code) take(code);
      else say("scan.nothing");
    } catch {
      say("scan.no_image");
    }
    picture.value = "";
  });
  scanner.hidden = false;
}

/**
 * What was read goes on as if it had been typed.
 *
 * @param {string} code
 */
function take(code) {
  const later = /** @type {HTMLInputElement | null} */ (document.querySelector("#offline:not([hidden]) #field-later_code"));
  const field = later ?? /** @type {HTMLInputElement} */ (document.getElementById("field-code"));
  field.value = code;
  if (later) later.focus();
  else field.form?.requestSubmit();
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasImageSource} image
 * @param {number} width
 * @param {number} height
 */
function drawn(canvas, image, width, height) {
  const scale = Math.min(1, LARGEST_PX / Math.max(width, height));
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d", { willReadFrequently: true })?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/**
 * @param {DOMStringMap} where the reader's script, its integrity, its WebAssembly
 * @returns {Promise<Read>}
 */
async function reader(where) {
  const Detector = /** @type {any} */ (window).BarcodeDetector;
  const formats = Detector ? await Detector.getSupportedFormats().catch(() => []) : [];
  if (formats.includes("qr_code")) {
    const detector = new Detector({ formats: formats.filter((/** @type {string} */ one) => ["qr_code", "data_matrix"].includes(one)) });
    return async (image) => (await detector.detect(image))[0]?.rawValue ?? "";
  }
  await new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = where.reader ?? "";
    script.integrity = where.integrity ?? "";
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    document.head.append(script);
  });
  const zxing = /** @type {any} */ (window).ZXingWASM;
  zxing.prepareZXingModule({ overrides: { locateFile: () => where.wasm } });
  const asked = { formats: ["QRCode", "DataMatrix"], tryHarder: true, maxNumberOfSymbols: 1 };
  return async (image) => {
    const pixels = image.getContext("2d")?.getImageData(0, 0, image.width, image.height);
    return (await zxing.readBarcodes(pixels, asked))[0]?.text ?? "";
  };
}
