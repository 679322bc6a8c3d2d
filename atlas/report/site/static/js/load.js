// Data arrives as classic scripts, each one call of atlas.put: the one way that works from file:// as well as from a server.

const KEPT = { data: 60, sheets: 160 }; // files held at a time: whoever looks at a whole atlas must not fill the memory

const arrived = new Map(); // key → data, the one used last at the end
const asked = new Map(); // key → promise of data that is on its way
const resolvers = new Map(); // key → resolve

window.atlas = {
  put(key, data) {
    keep(arrived, key, data, KEPT.data);
    resolvers.get(key)?.(data);
    resolvers.delete(key);
  },
};

/** Put at the end, and let go of what was used longest ago. */
function keep(held, key, value, most) {
  held.delete(key);
  held.set(key, value);
  if (held.size > most) held.delete(held.keys().next().value);
  return value;
}

/** A path as a URL: folders on disk may themselves hold % signs. */
const url = (path) => path.split("/").map(encodeURIComponent).join("/");

/** The data of a key, loaded when first asked for. Rejects when the file is not there. */
function load(key) {
  if (arrived.has(key)) return Promise.resolve(keep(arrived, key, arrived.get(key), KEPT.data));
  if (!asked.has(key)) {
    asked.set(
      key,
      new Promise((resolve, reject) => {
        resolvers.set(key, resolve);
        const script = document.createElement("script");
        script.src = `data/${url(key)}.js`;
        script.onerror = () => reject(new Error(`data/${key}.js is not there, or cannot be read`));
        script.onload = () => reject(new Error(`data/${key}.js holds no data`)); // says nothing once resolved
        document.head.append(script);
        script.addEventListener("load", () => script.remove());
      }).finally(() => asked.delete(key)),
    );
  }
  return asked.get(key);
}

/** An image, loaded once as long as it is held; null when it cannot be. */
const pictures = new Map();
function picture(source) {
  if (pictures.has(source)) return keep(pictures, source, pictures.get(source), KEPT.sheets);
  const image = new Image();
  const loading = new Promise((resolve) => {
    image.onload = () => resolve(image);
    image.onerror = () => {
      pictures.delete(source);
      resolve(null);
    };
  });
  image.src = source;
  return keep(pictures, source, loading, KEPT.sheets);
}

/** base64 to bytes. */
function bytes(text) {
  const letters = atob(text);
  const made = new Uint8Array(letters.length);
  for (let k = 0; k < made.length; k += 1) made[k] = letters.charCodeAt(k);
  return made;
}
