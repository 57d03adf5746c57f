// The part of Node's Buffer (nodejs.org/api/buffer.html) that codecs use; evaluated only where a script names it.
(function () {
  "use strict";
  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  function utf8Bytes(text) {
    const escaped = encodeURIComponent(text.toWellFormed());
    const bytes = [];
    for (let i = 0; i < escaped.length; i++) {
      if (escaped[i] === "%") {
        bytes.push(parseInt(escaped.slice(i + 1, i + 3), 16));
        i += 2;
      } else {
        bytes.push(escaped.charCodeAt(i));
      }
    }
    return bytes;
  }

  function utf8Text(bytes) {
    let text = "";
    for (let i = 0; i < bytes.length; ) {
      const first = bytes[i++];
      const more = first < 0x80 ? 0 : first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2
        : first >= 0xf0 && first < 0xf5 ? 3 : -1;
      let point = more === 0 ? first : first & (0x3f >> more);
      let valid = more >= 0 && i + more <= bytes.length;
      for (let k = 0; valid && k < more; k++) {
        valid = (bytes[i + k] & 0xc0) === 0x80;
        point = (point << 6) | (bytes[i + k] & 0x3f);
      }
      valid = valid && !(more === 2 && (point < 0x800 || (point >= 0xd800 && point < 0xe000)))
        && !(more === 3 && (point < 0x10000 || point > 0x10ffff));
      text += valid ? String.fromCodePoint(point) : "\ufffd";
      if (valid) i += more;
    }
    return text;
  }

  function base64Bytes(text) {
    const bytes = [];
    let bits = 0, held = 0;
    for (const letter of text.replace(/-/g, "+").replace(/_/g, "/")) {
      const value = ALPHABET.indexOf(letter);
      if (letter === "=") break;
      if (value < 0) continue;
      bits = ((bits << 6) | value) & 0xffff;
      held += 6;
      if (held >= 8) bytes.push((bits >> (held -= 8)) & 0xff);
    }
    return bytes;
  }

  function base64Text(bytes) {
    let text = "";
    for (let i = 0; i < bytes.length; i += 3) {
      const three = (bytes[i] << 16) | ((bytes[i + 1] || 0) << 8) | (bytes[i + 2] || 0);
      text += ALPHABET[three >> 18] + ALPHABET[(three >> 12) & 63]
        + (i + 1 < bytes.length ? ALPHABET[(three >> 6) & 63] : "=") + (i + 2 < bytes.length ? ALPHABET[three & 63] : "=");
    }
    return text;
  }

  function hexBytes(text) {
    const bytes = [];
    for (let i = 0; i + 1 < text.length && /^[0-9a-f]{2}$/i.test(text.slice(i, i + 2)); i += 2) {
      bytes.push(parseInt(text.slice(i, i + 2), 16));
    }
    return bytes;
  }

  const codes = (mask) => (text) => Array.from(text, (letter) => letter.charCodeAt(0) & mask);
  const letters = (mask) => (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte & mask)).join("");
  const hexText = (bytes) => Array.from(bytes, (byte) => (byte < 16 ? "0" : "") + byte.toString(16)).join("");
  const ENCODINGS = {
    __proto__: null,
    "utf8": [utf8Bytes, utf8Text],
    "utf-8": [utf8Bytes, utf8Text],
    "hex": [hexBytes, hexText],
    "base64": [base64Bytes, base64Text],
    "base64url": [base64Bytes, (bytes) => base64Text(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "")],
    "ascii": [codes(0xff), letters(0x7f)],
    "latin1": [codes(0xff), letters(0xff)],
    "binary": [codes(0xff), letters(0xff)],
  };

  function encoding(name) {
    const found = ENCODINGS[String(name === undefined ? "utf8" : name).toLowerCase()];
    if (!found) throw new TypeError("Unknown encoding: " + name);
    return found;
  }

  function place(buffer, offset, width) {
    if (!Number.isInteger(offset) || offset < 0 || offset + width > buffer.length) {
      throw new RangeError("Buffer offset " + offset + " of " + width + " bytes is outside its " + buffer.length);
    }
    return offset;
  }

  const view = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);

  class Buffer extends Uint8Array {
    static from(value, second, length) {
      if (typeof value === "string") return new Buffer(encoding(second)[0](value));
      if (value instanceof ArrayBuffer) return new Buffer(value, second, length);
      if (value && value.type === "Buffer" && Array.isArray(value.data)) return new Buffer(value.data);
      return new Buffer(Array.from(value));
    }
    static alloc(size, fill) {
      const buffer = new Buffer(size);
      return fill === undefined ? buffer : buffer.fill(fill);
    }
    static allocUnsafe(size) {
      return new Buffer(size);
    }
    static isBuffer(value) {
      return value instanceof Buffer;
    }
    static byteLength(value, name) {
      return typeof value === "string" ? encoding(name)[0](value).length : value.byteLength;
    }
    static concat(list, total) {
      const parts = Array.from(list, (part) => Array.from(part)).flat();
      const buffer = new Buffer(total === undefined ? parts.length : total);
      buffer.set(parts.slice(0, buffer.length));
      return buffer;
    }
    toString(name, start = 0, end = this.length) {
      return encoding(name)[1](Uint8Array.prototype.slice.call(this, Math.max(0, start), Math.max(0, end)));
    }
    toJSON() {
      return { type: "Buffer", data: Array.from(this) };
    }
    slice(start, end) {
      return this.subarray(start, end); // a view, as Node's
    }
    equals(other) {
      return this.length === other.length && this.every((byte, i) => byte === other[i]);
    }
    copy(target, at = 0, start = 0, end = this.length) {
      const part = Uint8Array.prototype.slice.call(this, start, Math.min(end, start + target.length - at));
      target.set(part, at);
      return part.length;
    }
    write(text, offset = 0, length = this.length - offset, name = "utf8") {
      const bytes = encoding(name)[0](text).slice(0, Math.min(length, this.length - offset));
      this.set(bytes, offset);
      return bytes.length;
    }
    readUIntBE(offset, width) {
      place(this, offset, width);
      let value = 0;
      for (let i = 0; i < width; i++) value = value * 256 + this[offset + i];
      return value;
    }
    readUIntLE(offset, width) {
      place(this, offset, width);
      let value = 0;
      for (let i = width - 1; i >= 0; i--) value = value * 256 + this[offset + i];
      return value;
    }
    readIntBE(offset, width) {
      const value = this.readUIntBE(offset, width);
      return value >= 2 ** (8 * width - 1) ? value - 2 ** (8 * width) : value;
    }
    readIntLE(offset, width) {
      const value = this.readUIntLE(offset, width);
      return value >= 2 ** (8 * width - 1) ? value - 2 ** (8 * width) : value;
    }
    writeUIntBE(value, offset, width) {
      place(this, offset, width);
      for (let i = width - 1; i >= 0; i--, value = Math.floor(value / 256)) this[offset + i] = value % 256;
      return offset + width;
    }
    writeUIntLE(value, offset, width) {
      place(this, offset, width);
      for (let i = 0; i < width; i++, value = Math.floor(value / 256)) this[offset + i] = value % 256;
      return offset + width;
    }
  }

  const KINDS = [["UInt8", "Uint8", 1], ["Int8", "Int8", 1], ["UInt16", "Uint16", 2], ["Int16", "Int16", 2],
    ["UInt32", "Uint32", 4], ["Int32", "Int32", 4], ["Float", "Float32", 4], ["Double", "Float64", 8],
    ["BigInt64", "BigInt64", 8], ["BigUInt64", "BigUint64", 8]];
  for (const [name, accessor, width] of KINDS) {
    for (const order of width === 1 ? [""] : ["LE", "BE"]) {
      const read = function (offset = 0) {
        return view(this)["get" + accessor](place(this, offset, width), order === "LE");
      };
      const write = function (value, offset = 0) {
        view(this)["set" + accessor](place(this, offset, width), value, order === "LE");
        return offset + width;
      };
      for (const spelling of [name, name.replace("UInt", "Uint")]) {
        for (const [verb, value] of [["read", read], ["write", write]]) {
          Object.defineProperty(Buffer.prototype, verb + spelling + order, { value, writable: true, configurable: true });
        }
      }
    }
  }
  Object.defineProperty(globalThis, "Buffer", { value: Buffer, writable: true, configurable: true });
})();
