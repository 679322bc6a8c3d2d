// #/matrix/<model>/<layer> : how alike the features of a layer are, families side by side. One pixel of a small picture for each pair.

const LISTED = { families: 24, features: 12 }; // beside the matrix; the layer's page shows all

/** The measure asked for, where there is a matrix of it; undefined where there is none at all. */
const measureOf = (layer, query) => (layer.measures.includes(query.measure) ? query.measure : layer.measures[0]);

function matrixPage(layer, held, query) {
  const measure = measureOf(layer, query);
  const page = (...rest) => el("div.page.matrix", { style: { "--model": colourOfModel(layer.model) } }, ...rest);
  if (!measure) {
    return page(
      matrixTitle(layer, null, null),
      whole.data.probes.includes("atlas") ? el("p.empty", {}, "No two features of this layer were compared.") : notCompared(),
      foot([]),
    );
  }
  const square = makeSquare(layer, measure, held);
  const where = `where model = '${sqlText(layer.model.name)}' and layer = '${sqlText(layer.name)}' and measure = '${sqlText(measure)}' and probe = 'atlas' order by place`;
  return page(
    matrixTitle(layer, measure, square),
    el(
      "div.tools",
      {},
      choices(
        "Measure",
        layer.measures.map((name) => [name, name]),
        measure,
        (value) => {
          changeQuery({ measure: value });
          render();
        },
      ),
      el(
        "span.quiet.small",
        {},
        "What is ",
        WORDS[measure] ? term(measure, measure) : measure,
        "? What is a ",
        term("family", "family"),
        "?",
      ),
    ),
    el(
      "div.matrixbody",
      {},
      el(
        "div.squareside",
        {},
        el("div.square", {}, square.canvas, square.row, square.column),
        el("div.squarefoot", {}, legend(square.shade, measure), square.zoomers),
        square.said,
      ),
      familyList(layer, measure, square),
    ),
    foot([["The order and the families", sql(`select channel, place, family from clusters ${where}`)]]),
  );
}

function matrixTitle(layer, measure, square) {
  const families = square?.families.length;
  return el(
    "header.title",
    {},
    el("h1", {}, el("span.dot"), el("a", { href: routes.layer(layer) }, layer.name)),
    square &&
      el(
        "p.lead",
        {},
        count(square.n, "feature"),
        el(
          "span.quiet",
          {},
          ` of ${layer.model.name}, each with each: ${families > 1 ? count(families, "family") : "one family"}`,
        ),
      ),
    el(
      "nav.links",
      { "aria-label": "Around this matrix" },
      [
        [-1, "prev"],
        [1, "next"],
      ].map(([step, rel]) => {
        const other = layer.model.layers[layer.model.layers.indexOf(layer) + step];
        return (
          other?.measures.length > 0 &&
          el(
            "a",
            { href: routes.matrix(other, keptQuery("measure")), rel },
            step < 0 ? `\u2190 ${other.name}` : `${other.name} \u2192`,
          )
        );
      }),
      el("a", { href: routes.layer(layer, measure ? { order: "cluster", measure } : {}) }, "The layer, by family"),
      layer.model.map && el("a", { href: routes.map(layer.model, { layer: layer.name }) }, "On the map"),
    ),
  );
}

/** The features of each family, as many as fit a line; pointing at one shows its place in the matrix. */
function familyList(layer, measure, square) {
  const big = square.families.filter(({ from, to }) => to - from > 1);
  const alone = square.families.length - big.length;
  const all = (text) => el("a", { href: routes.layer(layer, { order: "cluster", measure }) }, text);
  return el(
    "section.families",
    { "aria-label": "Families" },
    big.slice(0, LISTED.families).map((family) => {
      const { from, to, title } = family;
      const shown = square.channels.slice(from, to - from > LISTED.features + 1 ? from + LISTED.features : to);
      return el(
        "div.family",
        { onpointerenter: () => square.band(family), onpointerleave: () => square.band(null) },
        el(
          "h4",
          {},
          square.families.length > 1 ? el("strong", {}, title) : "All of one family",
          ` ${count(to - from, "feature")}${shown.length < to - from ? `, ${shown.length} shown` : ""}`,
        ),
        el(
          "div.members",
          {},
          shown.map((channel) => card(layer, channel)),
        ),
      );
    }),
    (alone > 0 || big.length > LISTED.families) &&
      el(
        "p.quiet.small",
        {},
        [
          big.length > LISTED.families && `${count(big.length - LISTED.families, "family")} more`,
          alone > 0 && `${count(alone, "feature")} alone`,
        ]
          .filter(Boolean)
          .join(", "),
        ": ",
        all("all of the layer by family"),
      ),
  );
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
    layer,
    n,
    channels: data.channels,
    shade,
    value,
    measure,
    ...readFamilies(data.family),
    cell: 0,
    wanted: 0,
    x: 0,
    y: 0,
    spot: null,
    digits: digitsOf((data.high - data.low) / 255),
    canvas: el("canvas.cells", {
      tabindex: "0",
      role: "application",
      "aria-label": `Similarity of ${count(n, "feature")} of ${nameOf(layer)}: arrows move over the pairs, Enter compares, plus and minus zoom`,
    }),
    row: el("span.cross.along", { hidden: true }),
    column: el("span.cross.down", { hidden: true }),
    said: el("p.quiet.small.said", { "aria-live": "polite" }),
    small: smallPicture(n, levels, (level) => shade.rgb(data.low + (level / 255) * (data.high - data.low))),
    sheets: sheetStore(() => square.canvas.isConnected && drawSquare(square)),
  };
  let timer = 0;
  const point = (spot, event) => {
    if (spot?.i === square.spot?.i && spot?.j === square.spot?.j && event) return;
    clearTimeout(timer);
    hidePeek();
    square.spot = spot;
    placeCross(square, spot && spanOf(spot.i), spot && spanOf(spot.j));
    tellPair(square, spot);
    if (spot && event)
      timer = setTimeout(() => square.canvas.isConnected && square.spot === spot && peekPair(square, spot, event), 60);
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
  const keys = {
    "+": () => zoom(1.6),
    "=": () => zoom(1.6),
    "-": () => zoom(1 / 1.6),
    _: () => zoom(1 / 1.6),
    0: () => zoom(0),
    ArrowUp: move(-1, 0),
    ArrowDown: move(1, 0),
    ArrowLeft: move(0, -1),
    ArrowRight: move(0, 1),
    Enter: () => open(square.spot),
  };
  square.zoomers = zoomButtons(keys);
  square.band = (family) => placeCross(square, family, family);
  gestures(square.canvas, {
    pan,
    zoom,
    out: () => point(null),
    hover: (x, y, event) => point(spotAt(square, x, y), event),
    tap(x, y, event) {
      const spot = spotAt(square, x, y);
      const again = spot?.i === square.spot?.i && spot?.j === square.spot?.j;
      if (event.pointerType !== "touch" || again) open(spot);
      else point(spot, event);
    },
  });
  square.canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
  tellPair(square, null);
  whenShown(() => {
    fitSquare(square);
    addEventListener(
      "resize",
      debounced(80, () => square.canvas.isConnected && fitSquare(square)),
      { signal: pageEnd.signal },
    );
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

// words

const pairOf = ({ channels }, { i, j }) => [i, j].filter((k, at) => k >= 0 && (at === 0 || k !== i)).map((k) => channels[k]);
function linkOfPair(square, spot) {
  const [a, b] = pairOf(square, spot);
  return b === undefined
    ? routes.feature(square.layer, a)
    : routes.compare(addressOf(square.layer, a), addressOf(square.layer, b));
}

function sayPair(square, { i, j }) {
  if (i < 0 || j < 0 || i === j) return square.families.length > 1 ? square.families[square.breaks[Math.max(i, j)]].title : "";
  const same = square.families.length > 1 && square.breaks[i] === square.breaks[j];
  return `${square.measure} ${number(square.value(i, j), square.digits)}${same ? ` \u00b7 both of ${square.families[square.breaks[i]].title.toLowerCase()}` : ""}`;
}

function tellPair(square, spot) {
  if (!spot) return void square.said.replaceChildren("Point at a cell to see its pair; a click compares them.");
  const [a, b] = pairOf(square, spot);
  square.said.replaceChildren(
    el("strong", {}, `${square.layer.name}:${a}`),
    b === undefined ? "" : " and ",
    b === undefined ? "" : el("strong", {}, `${square.layer.name}:${b}`),
    ` \u00b7 ${sayPair(square, spot)} \u00b7 `,
    el("a", { href: linkOfPair(square, spot) }, b === undefined ? "open" : "compare"),
  );
}

function peekPair(square, spot, event) {
  showPeek(
    event.clientX,
    event.clientY,
    pairOf(square, spot).map((channel) => ({ layer: square.layer, channel })),
    [el("p", {}, sayPair(square, spot))],
  );
}
