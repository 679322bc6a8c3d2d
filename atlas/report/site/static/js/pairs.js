// The pairs of a similarity matrix: its numbers, what is said of a pair, and what a hand and keys do to the square.

/** The square of a layer's matrix: its numbers, its elements, and how it is zoomed and moved. */
function makeSquare(layer, measure, data) {
  const n = data.channels.length;
  const shade = shader(...data.shown);
  const matrix = readMatrix(
    `layers/${layer.path}/matrix-${measure}`,
    data,
    shade,
    () => square.canvas.isConnected && drawSquare(square),
  );
  const square = {
    layer,
    measure,
    n,
    channels: data.channels,
    shade,
    ends: [data.low, data.high],
    matrix,
    value: matrix.value,
    digits: digitsOf(matrix.step),
    ...readFamilies(data.family, data.names),
    cell: 0,
    wanted: 0,
    x: 0,
    y: 0,
    spot: null, // the pair that is pointed at
    timer: 0, // of its peek
    ...squareElements(layer, n),
    sheets: sheetStore(() => square.canvas.isConnected && drawSquare(square)),
  };
  const keys = squareKeys(square);
  square.zoomers = zoomButtons(keys);
  handleKeys(square.canvas, keys);
  handleGestures(square);
  tellPair(square, null);
  whenShown(() => keepFitting(square));
  return square;
}

const squareElements = (layer, n) => ({
  canvas: el("canvas.cells", {
    tabindex: "0",
    role: "application",
    "aria-label": `Similarity of ${count(n, "feature")} of ${nameOf(layer)}: arrows move over the pairs, Enter compares, plus and minus zoom`,
  }),
  row: el("span.cross.along", { hidden: true }),
  column: el("span.cross.down", { hidden: true }),
  said: el("p.quiet.small.said", { "aria-live": "polite" }),
});

/** Runs of equal numbers, and for each place how many breaks lie before it. */
function readFamilies(family, names) {
  const families = [];
  const breaks = family.map((one, k) => {
    if (!k || one !== family[k - 1]) families.push({ from: k, to: k, title: familyTitle(names[one], one) });
    families.at(-1).to = k + 1;
    return families.length - 1;
  });
  return { families, breaks };
}

// what a hand does

const isPointedAt = (square, spot) => spot?.i === square.spot?.i && spot?.j === square.spot?.j;

/** Mark a pair, or none; with the event of a pointer, show its features beside it after a moment. */
function pointAt(square, spot, event) {
  if (event && isPointedAt(square, spot)) return;
  clearTimeout(square.timer);
  hidePeek();
  square.spot = spot;
  placeCross(square, spot && spanOf(spot.i), spot && spanOf(spot.j));
  tellPair(square, spot);
  if (!spot || !event) return;
  square.timer = setTimeout(() => square.canvas.isConnected && square.spot === spot && peekPair(square, spot, event), 60);
}

const openPair = (square, spot) => spot && go(linkOfPair(square, spot));

function panSquare(square, dx, dy) {
  Object.assign(square, { x: square.x - dx * square.ratio, y: square.y - dy * square.ratio });
  pointAt(square, null);
  drawSquare(square);
}

/** False where there is nothing more to zoom. */
function zoomAt(square, factor, x = square.side / 2, y = square.side / 2) {
  if (!zoomSquare(square, factor, x, y)) return false;
  pointAt(square, null);
  return drawSquare(square);
}

function moveSpot(square, di, dj) {
  const { i, j } = square.spot || { i: 0, j: 0 };
  const within = (k) => Math.max(0, Math.min(square.n - 1, k));
  const spot = { i: within(Math.max(0, i) + di), j: within(Math.max(0, j) + dj) };
  bringIn(square, spot);
  pointAt(square, spot);
}

function handleGestures(square) {
  gestures(square.canvas, {
    pan: (dx, dy) => panSquare(square, dx, dy),
    zoom: (factor, x, y) => zoomAt(square, factor, x, y),
    out: () => pointAt(square, null),
    hover: (x, y, event) => pointAt(square, spotAt(square, x, y), event),
    tap(x, y, event) {
      const spot = spotAt(square, x, y);
      if (event.pointerType !== "touch" || isPointedAt(square, spot)) openPair(square, spot);
      else pointAt(square, spot, event);
    },
  });
}

const squareKeys = (square) => ({
  "+": () => zoomAt(square, 1.6),
  "=": () => zoomAt(square, 1.6),
  "-": () => zoomAt(square, 1 / 1.6),
  _: () => zoomAt(square, 1 / 1.6),
  0: () => zoomAt(square, 0),
  ArrowUp: () => moveSpot(square, -1, 0),
  ArrowDown: () => moveSpot(square, 1, 0),
  ArrowLeft: () => moveSpot(square, 0, -1),
  ArrowRight: () => moveSpot(square, 0, 1),
  Enter: () => openPair(square, square.spot),
});

function handleKeys(canvas, keys) {
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
}

/** Fit the square to the window, now and whenever the window or the theme changes, as long as its page is shown. */
function keepFitting(square) {
  const { signal } = pageEnd;
  fitSquare(square);
  addEventListener(
    "resize",
    debounced(80, () => square.canvas.isConnected && fitSquare(square)),
    { signal },
  );
  addEventListener("themechange", () => drawSquare(square), { signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawSquare(square), { signal });
}

// what is said of a pair

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
  return `${MEASURE_WORDS[square.measure]}: ${square.matrix.isExact(i, j) ? "" : "about "}${number(square.value(i, j), square.digits)}${same ? ` \u00b7 both of ${square.families[square.breaks[i]].title.toLowerCase()}` : ""}`;
}

function tellPair(square, spot) {
  if (!spot) return void square.said.replaceChildren("Point at a cell to see its pair; a click compares them.");
  const [a, b] = pairOf(square, spot);
  square.said.replaceChildren(
    el("strong", `${square.layer.name}:${a}`),
    b === undefined ? "" : " and ",
    b === undefined ? "" : el("strong", `${square.layer.name}:${b}`),
    ` \u00b7 ${sayPair(square, spot)} \u00b7 `,
    el("a", { href: linkOfPair(square, spot) }, b === undefined ? "open" : "compare"),
  );
}

function peekPair(square, spot, event) {
  showPeek(
    event.clientX,
    event.clientY,
    pairOf(square, spot).map((channel) => ({ layer: square.layer, channel })),
    [el("p", sayPair(square, spot))],
  );
}
