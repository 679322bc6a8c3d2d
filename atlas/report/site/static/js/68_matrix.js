// #/matrix/<model>/<layer> : how alike the features of a layer are, families side by side. One pixel of a small picture for each pair.

const LARGEST_CELL = 40; // px
const EDGE_CELL = 20; // px: from here on thumbnails stand along the edges
const LISTED = { families: 24, features: 12 }; // beside the matrix; the layer's page shows all

/** The measure asked for, where there is a matrix of it; undefined where there is none at all. */
const measureOf = (layer, query) => (layer.measures.includes(query.measure) ? query.measure : layer.measures[0]);

function matrixPage(layer, held, query) {
  const measure = measureOf(layer, query);
  const page = (...rest) => el("div.page.matrix", { style: { "--model": colourOfModel(layer.model) } }, ...rest);
  if (!measure) {
    return page(matrixTitle(layer, null, null), whole.data.probes.includes("atlas") ? el("p.empty", {}, "No two features of this layer were compared.") : notCompared(), foot([]));
  }
  const square = makeSquare(layer, measure, held);
  const where = `where model = '${sqlText(layer.model.name)}' and layer = '${sqlText(layer.name)}' and measure = '${sqlText(measure)}' and probe = 'atlas' order by place`;
  return page(matrixTitle(layer, measure, square),
    el("div.tools", {},
      choices("Measure", layer.measures.map((name) => [name, name]), measure, (value) => { changeQuery({ measure: value }); render(); }),
      el("span.quiet.small", {}, "What is ", WORDS[measure] ? term(measure, measure) : measure, "? What is a ", term("family", "family"), "?")),
    el("div.matrixbody", {},
      el("div.squareside", {}, el("div.square", {}, square.canvas, square.row, square.column),
        el("div.squarefoot", {}, legend(square.shade, measure), square.zoomers), square.said),
      familyList(layer, measure, square)),
    foot([["The order and the families", sql(`select channel, place, family from clusters ${where}`)]]));
}

function matrixTitle(layer, measure, square) {
  const families = square?.families.length;
  return el("header.title", {}, el("h1", {}, el("span.dot"), el("a", { href: routes.layer(layer) }, layer.name)),
    square && el("p.lead", {}, count(square.n, "feature"), el("span.quiet", {}, ` of ${layer.model.name}, each with each: ${families > 1 ? count(families, "family") : "one family"}`)),
    el("nav.links", { "aria-label": "Around this matrix" },
      [[-1, "prev"], [1, "next"]].map(([step, rel]) => {
        const other = layer.model.layers[layer.model.layers.indexOf(layer) + step];
        return other?.measures.length > 0 && el("a", { href: routes.matrix(other, keptQuery("measure")), rel }, step < 0 ? `\u2190 ${other.name}` : `${other.name} \u2192`);
      }),
      el("a", { href: routes.layer(layer, measure ? { order: "cluster", measure } : {}) }, "The layer, by family"),
      layer.model.map && el("a", { href: routes.map(layer.model, { layer: layer.name }) }, "On the map")));
}

/** The features of each family, as many as fit a line; pointing at one shows its place in the matrix. */
function familyList(layer, measure, square) {
  const big = square.families.filter(({ from, to }) => to - from > 1);
  const alone = square.families.length - big.length;
  const all = (text) => el("a", { href: routes.layer(layer, { order: "cluster", measure }) }, text);
  return el("section.families", { "aria-label": "Families" }, big.slice(0, LISTED.families).map((family) => {
    const { from, to, title } = family;
    const shown = square.channels.slice(from, to - from > LISTED.features + 1 ? from + LISTED.features : to);
    return el("div.family", { onpointerenter: () => square.band(family), onpointerleave: () => square.band(null) },
      el("h4", {}, square.families.length > 1 ? el("strong", {}, title) : "All of one family", ` ${count(to - from, "feature")}${shown.length < to - from ? `, ${shown.length} shown` : ""}`),
      el("div.members", {}, shown.map((channel) => card(layer, channel))));
  }),
  (alone > 0 || big.length > LISTED.families) && el("p.quiet.small", {},
    [big.length > LISTED.families && `${count(big.length - LISTED.families, "family")} more`, alone > 0 && `${count(alone, "feature")} alone`].filter(Boolean).join(", "), ": ", all("all of the layer by family")));
}

/** Runs of equal numbers, and for each place how many breaks lie before it. */
function readFamilies(family) {
  const families = [];
  const breaks = family.map((one, k) => {
    if (!k || one !== family[k - 1]) families.push({ from: k, to: k, title: `Family ${one + 1}` });
    families.at(-1).to = k + 1;
    return families.length - 1;
  });
  return { families, breaks };
}

function makeSquare(layer, measure, data) {
  const n = data.channels.length;
  const levels = bytes(data.data);
  const shade = shader(data.low, data.high);
  const value = (i, j) => data.low + (levels[i * n + j] / 255) * (data.high - data.low);
  const square = {
    layer, n, channels: data.channels, shade, value, measure, ...readFamilies(data.family), cell: 0, wanted: 0, x: 0, y: 0, spot: null,
    digits: digitsOf((data.high - data.low) / 255), canvas: el("canvas.cells", { tabindex: "0", role: "application", "aria-label": `Similarity of ${count(n, "feature")} of ${nameOf(layer)}: arrows move over the pairs, Enter compares, plus and minus zoom` }),
    row: el("span.cross.along", { hidden: true }), column: el("span.cross.down", { hidden: true }), said: el("p.quiet.small.said", { "aria-live": "polite" }),
    small: smallPicture(n, levels, (level) => shade.rgb(data.low + (level / 255) * (data.high - data.low))), sheets: sheetStore(() => square.canvas.isConnected && drawSquare(square)),
  };
  let timer = 0;
  const point = (spot, event) => {
    if (spot?.i === square.spot?.i && spot?.j === square.spot?.j && event) return;
    clearTimeout(timer);
    hidePeek();
    square.spot = spot;
    placeCross(square, spot && spanOf(spot.i), spot && spanOf(spot.j));
    tellPair(square, spot);
    if (spot && event) timer = setTimeout(() => square.canvas.isConnected && square.spot === spot && peekPair(square, spot, event), 60);
  };
  const open = (spot) => spot && go(linkOfPair(square, spot));
  const pan = (dx, dy) => {
    Object.assign(square, { x: square.x - dx * square.ratio, y: square.y - dy * square.ratio });
    point(null);
    drawSquare(square);
  };
  const zoom = (factor, x = square.side / 2, y = square.side / 2) => {
    if (!zoomSquare(square, factor, x, y)) return false;
    point(null);
    return drawSquare(square);
  };
  const move = (di, dj) => () => {
    const { i, j } = square.spot || { i: 0, j: 0 };
    const spot = { i: Math.max(0, Math.min(n - 1, Math.max(0, i) + di)), j: Math.max(0, Math.min(n - 1, Math.max(0, j) + dj)) };
    bringIn(square, spot);
    point(spot);
  };
  const keys = { "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), _: () => zoom(1 / 1.6), 0: () => zoom(0),
    ArrowUp: move(-1, 0), ArrowDown: move(1, 0), ArrowLeft: move(0, -1), ArrowRight: move(0, 1), Enter: () => open(square.spot) };
  square.zoomers = zoomButtons(keys);
  square.band = (family) => placeCross(square, family, family);
  gestures(square.canvas, { pan, zoom, out: () => point(null), hover: (x, y, event) => point(spotAt(square, x, y), event), tap(x, y, event) {
    const spot = spotAt(square, x, y);
    const again = spot?.i === square.spot?.i && spot?.j === square.spot?.j;
    if (event.pointerType !== "touch" || again) open(spot);
    else point(spot, event);
  } });
  square.canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
  tellPair(square, null);
  whenShown(() => {
    fitSquare(square);
    addEventListener("resize", debounced(80, () => square.canvas.isConnected && fitSquare(square)), { signal: pageEnd.signal });
    addEventListener("themechange", () => drawSquare(square), { signal: pageEnd.signal });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawSquare(square), { signal: pageEnd.signal });
  });
  return square;
}

/** The matrix with one pixel for each pair. A feature with itself is gray: that says nothing. */
function smallPicture(n, levels, colour) {
  const shades = Uint32Array.from({ length: 256 }, (_, level) => {
    const [r, g, b] = colour(level);
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
  const image = new ImageData(n, n);
  const pixels = new Uint32Array(image.data.buffer);
  for (let k = 0; k < pixels.length; k += 1) pixels[k] = k % (n + 1) ? shades[levels[k]] : 0xff808080;
  const small = el("canvas", { width: n, height: n });
  small.getContext("2d").putImageData(image, 0, 0);
  return small;
}

// where what lies: in pixels of the device, so that cells are whole pixels

const spanOf = (k) => (k < 0 ? null : { from: k, to: k + 1 });
const gapOf = ({ cell, ratio, families, n }) => (cell < 3 * ratio || families.length > n / 3 ? 0 : Math.round(Math.max(1, Math.min(4, cell / ratio / 6)) * ratio));
const edgeOf = ({ cell, ratio }) => Math.round(cell >= EDGE_CELL * ratio ? cell + 9 * ratio : 9 * ratio);
const startOf = (square, k) => k * square.cell + square.breaks[k] * gapOf(square);
const lengthOf = (square) => startOf(square, square.n - 1) + square.cell;

/** The place that lies nearest before a distance, from the start of the matrix on. */
function placeAt(square, distance) {
  let [low, high] = [0, square.n - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (startOf(square, middle) <= distance) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The pair under a place of the canvas; -1 for one of them along the edge; null outside. */
function spotAt(square, x, y) {
  const edge = edgeOf(square);
  const place = (v, offset) => (v < edge ? -1 : v - edge + offset < lengthOf(square) ? placeAt(square, v - edge + offset) : -2);
  const [i, j] = [place(y * square.ratio, square.y), place(x * square.ratio, square.x)];
  return i === -2 || j === -2 || (i < 0 && j < 0) ? null : { i, j };
}

/** The largest cells with which all of it can be seen. */
function fitSquare(square) {
  const body = square.canvas.closest(".matrixbody");
  const wide = body.clientWidth;
  const room = Math.floor(Math.min(wide > 900 ? 0.66 * wide : wide, Math.max(420, innerHeight - 200)));
  square.ratio = devicePixelRatio || 1;
  const all = room * square.ratio;
  square.cell = Math.floor(LARGEST_CELL * square.ratio);
  while (square.cell > 1 && edgeOf(square) + lengthOf(square) > all) square.cell -= 1;
  if (square.cell < 3 * square.ratio && edgeOf(square) + lengthOf(square) !== all) square.cell = (all - edgeOf(square)) / square.n; // small: better blurred a little than a stamp
  Object.assign(square, { fit: square.cell, wanted: square.cell, x: 0, y: 0, side: Math.round((edgeOf(square) + lengthOf(square)) / square.ratio) });
  square.zoomers.hidden = square.fit >= EDGE_CELL * square.ratio;
  body.style.setProperty("--side", `${square.side}px`);
  Object.assign(square.canvas, { width: Math.round(square.side * square.ratio), height: Math.round(square.side * square.ratio) });
  drawSquare(square);
}

/** Larger or smaller cells, with the pair under (x, y) where it was; false where there is no more. */
function zoomSquare(square, factor, x, y) {
  const before = square.wanted;
  square.wanted = Math.max(square.fit, Math.min(Math.max(square.fit, LARGEST_CELL * square.ratio), before * factor));
  if (square.wanted === before || square.fit >= EDGE_CELL * square.ratio) return false;
  const at = (v, offset) => {
    const distance = v * square.ratio - edgeOf(square) + offset;
    const k = placeAt(square, distance);
    return [k, (distance - startOf(square, k)) / square.cell];
  };
  const [[j, dx], [i, dy]] = [at(x, square.x), at(y, square.y)];
  square.cell = square.wanted < 1 || square.wanted === square.fit ? square.wanted : Math.max(Math.ceil(square.fit), Math.floor(square.wanted));
  square.x = startOf(square, j) + dx * square.cell - (x * square.ratio - edgeOf(square));
  square.y = startOf(square, i) + dy * square.cell - (y * square.ratio - edgeOf(square));
  return true;
}

function bringIn(square, { i, j }) {
  const room = square.canvas.width - edgeOf(square) - square.cell;
  square.x = Math.min(startOf(square, j), Math.max(startOf(square, j) - room, square.x));
  square.y = Math.min(startOf(square, i), Math.max(startOf(square, i) - room, square.y));
  drawSquare(square);
}

// drawing

function drawSquare(square) {
  const { canvas, small, cell, families } = square;
  const [draw, edge, gap] = [canvas.getContext("2d"), edgeOf(square), gapOf(square)];
  const room = canvas.width - edge;
  const most = Math.max(0, lengthOf(square) - room);
  Object.assign(square, { x: Math.round(Math.max(0, Math.min(most, square.x))), y: Math.round(Math.max(0, Math.min(most, square.y))) });
  draw.clearRect(0, 0, canvas.width, canvas.height);
  draw.save();
  draw.beginPath();
  draw.rect(edge, edge, room, room);
  draw.clip();
  draw.imageSmoothingEnabled = cell % 1 > 0;
  const blocks = gap ? families : [{ from: 0, to: square.n }];
  const seen = (offset) => blocks.filter(({ from, to }) => startOf(square, to - 1) + cell > offset && startOf(square, from) < offset + room);
  for (const a of seen(square.y)) for (const b of seen(square.x)) {
    draw.drawImage(small, b.from, a.from, b.to - b.from, a.to - a.from, edge + startOf(square, b.from) - square.x, edge + startOf(square, a.from) - square.y, (b.to - b.from) * cell, (a.to - a.from) * cell);
  }
  draw.restore();
  for (const upright of [false, true]) drawEdge(square, draw, { edge, room, upright, offset: upright ? square.y : square.x, seen: [placeAt(square, upright ? square.y : square.x), placeAt(square, room + (upright ? square.y : square.x))] });
  canvas.classList.toggle("zoomed", most > 0);
  square.spot && placeCross(square, spanOf(square.spot.i), spanOf(square.spot.j));
}

/** Along an edge: a bracket for each family, and thumbnails where there is room. */
function drawEdge(square, draw, { edge, room, upright, offset, seen: [first, last] }) {
  const { cell, ratio, families } = square;
  const rect = (along, across, length, thick) => (upright ? [across, along, thick, length] : [along, across, length, thick]);
  draw.save();
  draw.beginPath();
  draw.rect(...rect(edge, 0, room, edge));
  draw.clip();
  draw.fillStyle = getComputedStyle(square.canvas).getPropertyValue("--quiet");
  if (families.length > 1) {
    for (const { from, to } of families) {
      if (to <= first || from > last) continue;
      const length = startOf(square, to - 1) + cell - startOf(square, from);
      draw.fillRect(...rect(edge + startOf(square, from) - offset, edge - 5 * ratio, length - (gapOf(square) || length < 6 * ratio ? 0 : 2 * ratio), Math.max(1, ratio * 1.5)));
    }
  }
  const missing = new Set();
  for (let k = first; k <= last && cell >= EDGE_CELL * ratio; k += 1) {
    const { source, column, row } = spriteOf(square.layer, square.channels[k], standing(square.layer, square.channels[k]));
    const sheet = square.sheets.get(source);
    if (sheet === undefined) missing.add(source);
    if (!sheet) continue;
    const image = cell < 0.55 * sheet.cell ? sheet.half : sheet.full;
    const side = image.width / whole.data.sheet;
    const [x, y, wide, high] = rect(edge + startOf(square, k) - offset, 0, cell - ratio, cell - ratio);
    draw.drawImage(image, column * side, row * side, side, side, x, y, wide, high);
  }
  draw.restore();
  if (missing.size) square.sheets.want([...missing]);
}

/** Two frames across the whole: that of a row and that of a column. */
function placeCross(square, rows, columns) {
  const edge = edgeOf(square);
  for (const [line, span, offset, start, size] of [[square.row, rows, square.y, "top", "height"], [square.column, columns, square.x, "left", "width"]]) {
    line.hidden = !span;
    if (!span) continue;
    const from = Math.max(edge, edge + startOf(square, span.from) - offset);
    const to = Math.min(square.canvas.width, edge + startOf(square, span.to - 1) + square.cell - offset);
    line.hidden = to <= from;
    line.style[start] = `${from / square.ratio - 1}px`;
    line.style[size] = `${Math.max(1, (to - from) / square.ratio) + 2}px`;
  }
}

// words

const pairOf = ({ channels }, { i, j }) => [i, j].filter((k, at) => k >= 0 && (at === 0 || k !== i)).map((k) => channels[k]);
function linkOfPair(square, spot) {
  const [a, b] = pairOf(square, spot);
  return b === undefined ? routes.feature(square.layer, a) : routes.compare(addressOf(square.layer, a), addressOf(square.layer, b));
}

function sayPair(square, { i, j }) {
  if (i < 0 || j < 0 || i === j) return square.families.length > 1 ? square.families[square.breaks[Math.max(i, j)]].title : "";
  const same = square.families.length > 1 && square.breaks[i] === square.breaks[j];
  return `${square.measure} ${number(square.value(i, j), square.digits)}${same ? ` \u00b7 both of ${square.families[square.breaks[i]].title.toLowerCase()}` : ""}`;
}

function tellPair(square, spot) {
  if (!spot) return void square.said.replaceChildren("Point at a cell to see its pair; a click compares them.");
  const [a, b] = pairOf(square, spot);
  square.said.replaceChildren(el("strong", {}, `${square.layer.name}:${a}`), b === undefined ? "" : " and ", b === undefined ? "" : el("strong", {}, `${square.layer.name}:${b}`),
    ` \u00b7 ${sayPair(square, spot)} \u00b7 `, el("a", { href: linkOfPair(square, spot) }, b === undefined ? "open" : "compare"));
}

function peekPair(square, spot, event) {
  showPeek(event.clientX, event.clientY, pairOf(square, spot).map((channel) => ({ layer: square.layer, channel })), [el("p", {}, sayPair(square, spot))]);
}
