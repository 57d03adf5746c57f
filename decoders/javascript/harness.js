// Evaluated first in every context, before the codec. Keeps its own references to what it needs, so that a codec
// that replaces JSON, Array or Date changes what it says itself, and nothing of how it is called and read.
// The value of this script is `bind(found, maxLength)`, which returns `run(text)`:
//   run(JSON of the input) -> "{...}" the output, "!..." a JSON string saying what was thrown, "+" too large
//   run("")                -> "" while the built-in objects are as they were when the codec had loaded, else a name
(function () {
  "use strict";
  const { parse, stringify } = JSON;
  const { apply, ownKeys, getOwnPropertyDescriptor } = Reflect;
  const { is } = Object;
  const global = globalThis;
  const WhenDate = Date;
  const slice = String.prototype.slice;

  const nothing = function () {};
  const silent = {};
  for (const name of ["log", "info", "warn", "error", "debug", "trace", "table", "dir", "time", "timeEnd", "timeLog",
    "assert", "count", "group", "groupCollapsed", "groupEnd", "clear"]) {
    silent[name] = nothing;
  }
  const exported = {};
  const hidden = (name, value) => {
    Object.defineProperty(global, name, { value, writable: true, configurable: true, enumerable: false });
  };
  hidden("console", silent);
  hidden("exports", exported);
  hidden("module", { exports: exported });
  hidden("require", function require(name) {
    if (name === "buffer" || name === "node:buffer") return { Buffer: global.Buffer };
    throw new Error("require(" + name + "): a codec is one file");
  });

  const WATCHED = ["Object", "Function", "Array", "String", "Number", "Boolean", "Symbol", "Date", "RegExp", "Map", "Set",
    "Error", "Promise", "ArrayBuffer", "DataView", "Uint8Array", "Math", "JSON", "Reflect"];

  function watchedObjects() {
    const objects = [];
    for (let i = 0; i < WATCHED.length; i++) {
      const value = global[WATCHED[i]];
      objects[objects.length] = [WATCHED[i], value];
      if (typeof value === "function" && value.prototype) {
        objects[objects.length] = [WATCHED[i] + ".prototype", value.prototype];
      }
    }
    objects[objects.length] = ["%TypedArray%.prototype", Object.getPrototypeOf(Uint8Array.prototype)];
    return objects;
  }

  function photograph() {
    const objects = watchedObjects();
    const picture = [];
    for (let i = 0; i < objects.length; i++) {
      const keys = ownKeys(objects[i][1]);
      const plain = [], values = [], others = [], getters = [];
      for (let k = 0; k < keys.length; k++) {
        const described = getOwnPropertyDescriptor(objects[i][1], keys[k]);
        if ("value" in described) {
          plain[plain.length] = keys[k];
          values[values.length] = described.value;
        } else {
          others[others.length] = keys[k];
          getters[getters.length] = described;
        }
      }
      picture[i] = { name: objects[i][0], object: objects[i][1], count: keys.length, plain, values, others, getters };
    }
    return picture;
  }

  function difference(picture) {
    for (let i = 0; i < WATCHED.length; i++) {
      if (global[WATCHED[i]] !== picture.globals[i]) return WATCHED[i];
    }
    for (let i = 0; i < picture.objects.length; i++) {
      const { name, object, count, plain, values, others, getters } = picture.objects[i];
      if (ownKeys(object).length !== count) return name;
      for (let k = 0; k < plain.length; k++) {
        if (!is(object[plain[k]], values[k])) return name;
      }
      for (let k = 0; k < others.length; k++) {
        const described = getOwnPropertyDescriptor(object, others[k]);
        if (!described || described.get !== getters[k].get || described.set !== getters[k].set) return name;
      }
    }
    return "";
  }

  // What is callable, by preference: TS013 first, then what came before it.
  function chosen(found, forms) {
    const holders = [[found, undefined], [found.exported, found.exported], [found.driver, found.driver]];
    if (found.exported && found.exported.driver) holders[3] = [found.exported.driver, found.exported.driver];
    for (let f = 0; f < forms.length; f++) {
      for (let h = 0; h < holders.length; h++) {
        const holder = holders[h][0];
        if (holder && typeof holder[forms[f]] === "function") {
          return { form: forms[f], call: holder[forms[f]], self: holders[h][1], normalize: holder.normalizeUplink };
        }
      }
    }
    return null;
  }

  function called(codec, input) {
    if (codec.form === "Decoder") return { data: apply(codec.call, codec.self, [input.bytes, input.fPort]) };
    if (codec.form === "Decode") {
      return { data: apply(codec.call, codec.self, [input.fPort, input.bytes, input.variables]) };
    }
    return apply(codec.call, codec.self, [input]);
  }

  // A command as bytes, or bytes as a command. The older forms give the bytes alone, or their hexadecimal digits.
  function downlink(codec, input) {
    if (codec === null) throw new Error("the codec has no function for that");
    let result;
    if (codec.form === "Encoder") result = { bytes: apply(codec.call, codec.self, [input.data, input.fPort]) };
    else if (codec.form === "Encode") {
      result = { bytes: apply(codec.call, codec.self, [input.fPort, input.data, input.variables]) };
    } else result = apply(codec.call, codec.self, [input]);
    if (typeof result !== "object" || result === null) throw new Error("the codec returned " + typeof result);
    const { bytes, fPort, data, errors, warnings } = result;
    return stringify({ __proto__: null, data: { __proto__: null, bytes, fPort, data }, errors, warnings });
  }

  function outcome(codec, input) {
    const result = called(codec, input);
    if (typeof result !== "object" || result === null) throw new Error("the codec returned " + typeof result);
    if (typeof result.then === "function") throw new Error("the codec is asynchronous");
    const { errors, warnings } = result;
    // Some answer with the data alone, without the envelope of TS013.
    const data = "data" in result || errors || warnings ? result.data : result;
    const output = { __proto__: null, data, errors, warnings };
    if (typeof codec.normalize === "function" && data && !(errors && errors.length)) {
      const normal = apply(codec.normalize, codec.self, [{ data, fPort: input.fPort, recvTime: input.recvTime }]);
      output.normalized = normal && normal.data;
    }
    return stringify(output);
  }

  function said(thrown) {
    try {
      const message = typeof thrown === "object" && thrown !== null && "message" in thrown ? thrown.message : thrown;
      const text = typeof message === "symbol" ? "a symbol" : "" + message;
      return stringify(apply(slice, text, [0, 500]));
    } catch (again) {
      return '"what was thrown cannot be shown"';
    }
  }

  return function bind(found, maxLength) {
    const codec = chosen(found, ["decodeUplink", "Decoder", "Decode"]);
    if (codec === null) return null;
    const encoder = chosen(found, ["encodeDownlink", "Encoder", "Encode"]);
    const decoder = chosen(found, ["decodeDownlink"]);
    const globals = [];
    for (let i = 0; i < WATCHED.length; i++) globals[i] = global[WATCHED[i]];
    const picture = { globals, objects: photograph() };
    return function run(text) {
      if (text === "") return difference(picture);
      try {
        const input = parse(text);
        input.recvTime = new WhenDate(input.recvTime);
        input.time = new WhenDate(input.recvTime); // Actility's older spelling
        const output = input.ask === undefined ? outcome(codec, input)
          : downlink(input.ask === "encodeDownlink" ? encoder : decoder, input);
        return output.length > maxLength ? "+" : output;
      } catch (thrown) {
        return "!" + said(thrown);
      }
    };
  };
})();
