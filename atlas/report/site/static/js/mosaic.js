// A map as one picture: thumbnails side by side without a gap. From afar it is the picture that was drawn as the site was written, from near the sheets.

const CLOSEST = 260; // px of a cell
const MOST_CELLS = 800; // drawn one by one in a frame
const LABELLED = 150; // px of a window that has room for its name
const SHADE = 0.8; // opacity of what covers cells that are not lit

function mosaicLook(model, held, probe) {
  const points = { ...readMembers(model, held), wide: held.columns, high: held.rows, near: 3.5 };
  const cells = points.of.map((k) => held.cell[k]);
  points.x = cells.map((cell) => (cell % held.columns) + 0.5);
  points.y = cells.map((cell) => Math.floor(cell / held.columns) + 0.5);
  const holder = new Int32Array(held.columns * held.rows).fill(-1);
  cells.forEach((cell, k) => {
    holder[cell] = k;
  });
  const at = (x, y) =>
    x < 0 || y < 0 || x >= points.wide || y >= points.high ? -1 : holder[Math.floor(y) * points.wide + Math.floor(x)];
  const look = { points, at, pixels: held.pixels, regions: held.regions, picture: null, mask: null, large: new Map() };
  const whole = (plane) => Math.min(plane.width / points.wide, plane.height / points.high, CLOSEST);
  return Object.assign(look, {
    range: (plane) => [whole(plane), Math.max(CLOSEST, whole(plane))],
    // a picture that is much flatter than the window fills it, and is moved sideways
    fit: (plane) => (plane.width < plane.height ? Math.min(CLOSEST, plane.height / points.high) : whole(plane)),
    kept: (plane, view) => ({ ...view, ...inside(plane, view) }),
    hit: (plane, px, py) => {
      const k = at(
        plane.view.x + (px - plane.width / 2) / plane.view.scale,
        plane.view.y + (py - plane.height / 2) / plane.view.scale,
      );
      return k >= 0 && (!plane.lit || plane.lit[k]) ? k : -1;
    },
    middle: ({ view, lit }) => {
      const k = at(Math.min(points.wide - 0.5, view.x), Math.min(points.high - 0.5, view.y));
      return k >= 0 && (!lit || lit[k]) ? k : nearestOf(points, view, lit);
    },
    light(plane) {
      plane.mask = plane.lit && maskOf(plane);
    },
    draw(plane) {
      if (!plane.asked) {
        plane.asked = true;
        picture(mosaicOf(model, probe)).then((image) => {
          plane.picture = image;
          plane.again();
        });
      }
      drawMosaic(plane);
    },
  });
}

/** No side of the picture comes away from that side of the window, as long as it is larger than it. */
function inside({ points, width, height }, { scale, x, y }) {
  const keep = (value, all, room) =>
    all * scale <= room ? all / 2 : Math.max(room / 2 / scale, Math.min(all - room / 2 / scale, value));
  return { x: keep(x, points.wide, width), y: keep(y, points.high, height) };
}

/** One pixel for each cell, opaque where nothing is lit. */
function maskOf({ points, lit }) {
  const mask = el("canvas", { width: points.wide, height: points.high });
  const image = new ImageData(points.wide, points.high);
  for (let k = 3; k < image.data.length; k += 4) image.data[k] = 255 * SHADE;
  lit.forEach((one, k) => {
    if (one) image.data[4 * (Math.floor(points.y[k]) * points.wide + Math.floor(points.x[k])) + 3] = 0;
  });
  mask.getContext("2d").putImageData(image, 0, 0);
  return mask;
}

function drawMosaic(plane) {
  const { points, canvas, view, ratio, mask } = plane;
  const marked = markedOf(plane);
  const draw = canvasOf(plane);
  const [wide, high] = [canvas.width, canvas.height];
  const scale = view.scale * ratio;
  const [left, top] = [wide / 2 - view.x * scale, high / 2 - view.y * scale];
  draw.clearRect(0, 0, wide, high);
  draw.imageSmoothingQuality = "high";
  const [x0, y0] = [Math.max(0, Math.floor(-left / scale)), Math.max(0, Math.floor(-top / scale))];
  const [x1, y1] = [
    Math.min(points.wide, Math.ceil((wide - left) / scale)),
    Math.min(points.high, Math.ceil((high - top) / scale)),
  ];
  if (scale <= plane.pixels || (x1 - x0) * (y1 - y0) > MOST_CELLS) {
    if (plane.picture) draw.drawImage(plane.picture, left, top, points.wide * scale, points.high * scale);
  } else drawCells(plane, draw, { x0, y0, x1, y1, left, top, scale });
  if (mask) {
    draw.imageSmoothingEnabled = false;
    draw.drawImage(mask, left, top, points.wide * scale, points.high * scale);
    draw.imageSmoothingEnabled = true;
  }
  drawRegions(plane, draw, { left, top, scale });
  if (marked >= 0)
    drawFrame(draw, left + (points.x[marked] - 0.5) * scale, top + (points.y[marked] - 0.5) * scale, scale, ratio);
}

/** Cells one by one: from its sheet, from the image itself where that shows more, from the whole picture as long as neither is there. */
function drawCells(plane, draw, { x0, y0, x1, y1, left, top, scale }) {
  const { pixels, ratio } = plane;
  const gap = scale >= 24 * ratio ? ratio : 0; // as in the picture of all
  const painter = thumbPainter(plane, draw);
  for (let row = y0; row < y1; row += 1)
    for (let column = x0; column < x1; column += 1) {
      const k = plane.at(column, row);
      if (k < 0) continue;
      const [x, y] = [Math.round(left + column * scale), Math.round(top + row * scale)];
      const [w, h] = [Math.round(left + (column + 1) * scale) - x - gap, Math.round(top + (row + 1) * scale) - y - gap];
      if (largeImage(plane, draw, k, x, y, w, h) || painter.put(k, x, y, w, h) || !plane.picture) continue;
      draw.drawImage(plane.picture, column * pixels, row * pixels, pixels, pixels, x, y, w, h);
    }
  painter.done();
}

/** The image itself, once a cell is much larger than its thumbnail. */
function largeImage({ points, large, again }, draw, k, x, y, w, h) {
  const [layer, channel] = [points.layers[points.layer[k]], points.channel[k]];
  if (w < 1.4 * layer.cell) return false;
  if (!large.has(k)) {
    large.set(k, null);
    picture(imageOf(layer, channel, standing(layer, channel))).then((image) => {
      large.set(k, image);
      again();
    });
  }
  const image = large.get(k);
  if (image) draw.drawImage(image, x, y, w, h);
  return Boolean(image);
}

/** Names of regions: those of the smallest windows that have room for a name. */
function drawRegions({ regions, lit, ratio, view, canvas }, draw, { left, top, scale }) {
  if (lit || !regions.length) return;
  const [, names] = regions.findLast(([side]) => side * view.scale >= LABELLED) || regions[0];
  const family = getComputedStyle(canvas).fontFamily;
  Object.assign(draw, {
    textAlign: "center",
    textBaseline: "middle",
    lineJoin: "round",
    fillStyle: "#fff",
    strokeStyle: "rgb(0 0 0 / 82%)",
  });
  for (const [name, x, y] of names) {
    if (left + x * scale < 0 || left + x * scale > canvas.width) continue;
    const text = cutName(name, 26);
    draw.font = `600 ${15 * ratio}px ${family}`;
    const half = draw.measureText(text).width / 2 + 6 * ratio;
    const at = Math.max(half, Math.min(canvas.width - half, left + x * scale)); // names are never cut by the edge
    draw.lineWidth = 4.5 * ratio;
    draw.strokeText(text, at, top + y * scale);
    draw.fillText(text, at, top + y * scale);
  }
}
