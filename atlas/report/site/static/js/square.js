// The square of a similarity matrix: where what lies, in pixels of the device, so that cells are whole pixels; and how it is drawn.

const LARGEST_CELL = 40; // px
const EDGE_CELL = 20; // px: from here on thumbnails stand along the edges

const spanOf = (k) => (k < 0 ? null : { from: k, to: k + 1 });
const gapOf = ({ cell, ratio, families, n }) =>
  cell < 3 * ratio || families.length > n / 3 ? 0 : Math.round(Math.max(1, Math.min(4, cell / ratio / 6)) * ratio);
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
  if (square.cell < 3 * square.ratio && edgeOf(square) + lengthOf(square) !== all)
    square.cell = (all - edgeOf(square)) / square.n; // small: better blurred a little than a stamp
  Object.assign(square, {
    fit: square.cell,
    wanted: square.cell,
    x: 0,
    y: 0,
    side: Math.round((edgeOf(square) + lengthOf(square)) / square.ratio),
  });
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
  square.cell =
    square.wanted < 1 || square.wanted === square.fit
      ? square.wanted
      : Math.max(Math.ceil(square.fit), Math.floor(square.wanted));
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

function drawSquare(square) {
  const { canvas, cell, families } = square;
  const [draw, edge, gap] = [canvas.getContext("2d"), edgeOf(square), gapOf(square)];
  const room = canvas.width - edge;
  const most = Math.max(0, lengthOf(square) - room);
  Object.assign(square, {
    x: Math.round(Math.max(0, Math.min(most, square.x))),
    y: Math.round(Math.max(0, Math.min(most, square.y))),
  });
  draw.clearRect(0, 0, canvas.width, canvas.height);
  draw.save();
  draw.beginPath();
  draw.rect(edge, edge, room, room);
  draw.clip();
  draw.imageSmoothingEnabled = cell % 1 > 0;
  const blocks = gap ? families : [{ from: 0, to: square.n }];
  const seen = (offset) =>
    blocks.filter(({ from, to }) => startOf(square, to - 1) + cell > offset && startOf(square, from) < offset + room);
  for (const a of seen(square.y))
    for (const b of seen(square.x)) {
      const [x, y] = [edge + startOf(square, b.from) - square.x, edge + startOf(square, a.from) - square.y];
      const near = {
        a: [placeAt(square, square.y), placeAt(square, room + square.y)],
        b: [placeAt(square, square.x), placeAt(square, room + square.x)],
      };
      paintPairs(draw, square.matrix, { a, b, x, y, cell, ratio: square.ratio, seen: near });
    }
  draw.restore();
  for (const upright of [false, true])
    drawEdge(square, draw, {
      edge,
      room,
      upright,
      offset: upright ? square.y : square.x,
      seen: [placeAt(square, upright ? square.y : square.x), placeAt(square, room + (upright ? square.y : square.x))],
    });
  canvas.classList.toggle("zoomed", most > 0);
  if (square.spot) placeCross(square, spanOf(square.spot.i), spanOf(square.spot.j));
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
      draw.fillRect(
        ...rect(
          edge + startOf(square, from) - offset,
          edge - 5 * ratio,
          length - (gapOf(square) || length < 6 * ratio ? 0 : 2 * ratio),
          Math.max(1, ratio * 1.5),
        ),
      );
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
  for (const [line, span, offset, start, size] of [
    [square.row, rows, square.y, "top", "height"],
    [square.column, columns, square.x, "left", "width"],
  ]) {
    line.hidden = !span;
    if (!span) continue;
    const from = Math.max(edge, edge + startOf(square, span.from) - offset);
    const to = Math.min(square.canvas.width, edge + startOf(square, span.to - 1) + square.cell - offset);
    line.hidden = to <= from;
    line.style[start] = `${from / square.ratio - 1}px`;
    line.style[size] = `${Math.max(1, (to - from) / square.ratio) + 2}px`;
  }
}
