// Data arrives as classic scripts, each one call of atlas.put: the one way that works from file:// as well as from a server.

const arrived = new Map(); // key → data
const asked = new Map(); // key → promise of data
const resolvers = new Map(); // key → resolve

window.atlas = {
  put(key, data) {
    arrived.set(key, data);
    resolvers.get(key)?.(data);
  },
};

/** A path as a URL: folders on disk may themselves hold % signs. */
function url(path) {
  return path.split("/").map(encodeURIComponent).join("/").replace(/%3D/g, "=");
}

/** The data of a key, loaded once, when first asked for. Rejects when the file is not there. */
function load(key) {
  if (!asked.has(key)) {
    asked.set(key, new Promise((resolve, reject) => {
      resolvers.set(key, resolve);
      const script = document.createElement("script");
      script.src = `data/${url(key)}.js`;
      script.onerror = () => {
        asked.delete(key);
        reject(new Error(`data/${key}.js is not there, or cannot be read`));
      };
      script.onload = () => {
        if (!arrived.has(key)) reject(new Error(`data/${key}.js holds no data`));
        script.remove();
      };
      document.head.append(script);
    }));
  }
  return asked.get(key);
}

/** An image that is decoded before it is drawn; loaded once. */
const pictures = new Map();
function picture(source) {
  if (!pictures.has(source)) {
    const image = new Image();
    pictures.set(source, new Promise((resolve) => {
      image.onload = () => resolve(image);
      image.onerror = () => resolve(null);
    }));
    image.src = source;
  }
  return pictures.get(source);
}

/** base64 to bytes. */
function bytes(text) {
  const letters = atob(text);
  const made = new Uint8Array(letters.length);
  for (let k = 0; k < made.length; k += 1) made[k] = letters.charCodeAt(k);
  return made;
}
