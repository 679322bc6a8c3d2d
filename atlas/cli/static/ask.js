// A picture is dropped, sent to /api/ask, and shown beside what it drives. Text is always set as text.
(() => {
  "use strict";
  const at = (id) => document.getElementById(id);
  const [form, drop, file, told, answer, rows] = ["form", "drop", "file", "told", "answer", "rows"].map(at);
  const [picture, caption] = [at("picture"), at("caption")];
  const chosen = { model: at("model"), layer: at("layer"), top: at("top") };
  let about = null; // what the atlas holds, and what may be sent
  let [asked, bitmap, turn] = [null, null, 0];

  const make = (kind, properties, ...children) => {
    const made = Object.assign(document.createElement(kind), properties);
    made.append(...children);
    return made;
  };

  function tell(text, bad = false) {
    told.textContent = text;
    told.classList.toggle("bad", bad);
  }

  async function json(url, options) {
    const response = await fetch(url, options);
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(body.error || `the server answered ${response.status}`);
    return body;
  }

  const literal = (text) => `'${text.replaceAll("'", "''")}'`;

  /** The image that stands for each feature, by address. */
  async function images(features) {
    if (!features.length) return new Map();
    const q = `SELECT feature, first(image ORDER BY target <> 'channel', metric, seed) AS image FROM features
      WHERE status = 'ok' AND image IS NOT NULL AND feature IN (${features.map(literal).join()}) GROUP BY feature`;
    const found = await json(`/api/sql?q=${encodeURIComponent(q)}`);
    return new Map(found.map((row) => [row.feature, row.image]));
  }

  async function ask(blob) {
    if (!blob || !about) return;
    if (blob.size > about.bytes) return tell(`This file has ${(blob.size / 2 ** 20).toFixed(1)} MB: at most ${about.bytes / 2 ** 20} are taken.`, true);
    const mine = (turn += 1);
    asked = blob;
    tell("Asking\u2026");
    const query = new URLSearchParams(Object.entries(chosen).map(([name, { value }]) => [name, value]).filter(([, value]) => value));
    try {
      const found = await json(`/api/ask?${query}`, { method: "POST", headers: { "Content-Type": blob.type || "application/octet-stream" }, body: blob });
      const [made, drawn] = await Promise.all([images(found.map((row) => row.feature)), createImageBitmap(blob).catch(() => null)]);
      if (mine !== turn) return;
      bitmap = drawn;
      show(found, made);
    } catch (error) {
      if (mine === turn) tell(error.message, true);
    }
  }

  function show(found, made) {
    answer.hidden = false;
    tell(`${found.length} features, those first that the picture drives most beyond the pictures of probe ${about.probe}.`);
    rows.replaceChildren(...found.map((row) => make("li", {}, card(row, made.get(row.feature)))));
    mark(null);
  }

  function card(row, image) {
    const crop = make("canvas", { width: 176, height: 176 });
    crop.setAttribute("role", "img");
    crop.setAttribute("aria-label", "what the feature sees on the picture");
    if (bitmap) crop.getContext("2d").drawImage(bitmap, row.x0, row.y0, row.x1 - row.x0, row.y1 - row.y0, 0, 0, 176, 176);
    const made = image ? make("img", { src: `/${image.split("/").map(encodeURIComponent).join("/")}`, alt: `the image made for ${row.feature}`, loading: "lazy" }) : make("span", {});
    const words = make("span", { className: "words" });
    if (row.name) words.append(make("strong", {}, row.name));
    words.append(short(row.feature), make("br", {}), make("span", { className: "numbers" }, `z ${row.z.toFixed(1)}`));
    const link = make("a", { href: page(row.feature) }, crop, made, words);
    for (const event of ["mouseenter", "focus"]) link.addEventListener(event, () => mark(row));
    for (const event of ["mouseleave", "blur"]) link.addEventListener(event, () => mark(null));
    return link;
  }

  /** An address, without its model where there is but one. */
  const short = (feature) => (Object.keys(about.layers).length > 1 ? feature : feature.slice(feature.indexOf("/") + 1));

  /** The feature's page of the site, else its rows. */
  function page(feature) {
    const [slash, colon] = [feature.indexOf("/"), feature.lastIndexOf(":")];
    const parts = [feature.slice(0, slash), feature.slice(slash + 1, colon), feature.slice(colon + 1)];
    return about.site ? `${about.site}#/f/${parts.map(encodeURIComponent).join("/")}` : `/api/feature/${encodeURIComponent(feature)}`;
  }

  /** The picture, with the box of one row. */
  function mark(row) {
    if (!bitmap) return;
    [picture.width, picture.height] = [bitmap.width, bitmap.height];
    const pen = picture.getContext("2d");
    pen.drawImage(bitmap, 0, 0);
    caption.textContent = row ? `${row.name ? `${row.name}, ` : ""}${row.feature}: response ${row.response.toPrecision(3)}` : "";
    picture.setAttribute("aria-label", row ? `the picture, with the place that drives ${row.feature}` : "the picture");
    if (!row) return;
    const box = [row.x0, row.y0, row.x1 - row.x0, row.y1 - row.y0];
    const width = Math.max(2, bitmap.width / 160);
    pen.fillStyle = "rgb(0 0 0 / 45%)";
    pen.fillRect(0, 0, bitmap.width, bitmap.height);
    pen.drawImage(bitmap, ...box, ...box);
    for (const [color, line] of [["#000", 2 * width], ["#fff", width]]) {
      [pen.strokeStyle, pen.lineWidth] = [color, line];
      pen.strokeRect(...box);
    }
  }

  function fill(select, names, all) {
    select.replaceChildren(make("option", { value: "" }, all), ...names.map((value) => make("option", { value }, value)));
    select.parentElement.hidden = names.length < 2;
  }

  function fillLayers() {
    const { model } = chosen;
    const layers = model.value ? about.layers[model.value] : Object.values(about.layers).flat();
    fill(chosen.layer, [...new Set(layers)], "all");
  }

  function listen() {
    file.addEventListener("change", () => ask(file.files[0]));
    chosen.model.addEventListener("change", fillLayers);
    form.addEventListener("change", (event) => event.target !== file && ask(asked));
    form.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("paste", (event) => ask(event.clipboardData.files[0]));
    for (const name of ["dragenter", "dragover"])
      addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.add("over");
      });
    for (const name of ["dragleave", "drop"]) addEventListener(name, () => drop.classList.remove("over"));
    addEventListener("drop", (event) => {
      event.preventDefault();
      ask(event.dataTransfer.files[0]);
    });
  }

  async function begin() {
    try {
      about = await json("/api/ask");
    } catch (error) {
      return tell(error.message, true);
    }
    document.title = `Ask a picture \u2013 ${about.name}`;
    Object.assign(at("home"), { textContent: about.name, href: about.site || "/" });
    fill(chosen.model, Object.keys(about.layers), "all");
    fillLayers();
    if (about.probe === null) return tell("This atlas does not know what its features do on other pictures: run atlas similarity first.", true);
    return listen();
  }

  begin();
})();
