// How a map is drawn: thumbnails where there is room for one, dots for the others.

const MOST_THUMBS = 1500; // a frame
const SMALLEST = 0.75; // of a thumbnail's side, is the reach with which one begins to show
const MOST_SHARP = 2000; // thumbnails at their full size kept at hand

/** The side of a thumbnail in px: it grows with the zoom, but more slowly, so that zooming in makes room. */
function thumbSide({ points, lit, fit, view, width, height }) {
  const shown = lit < 0 ? points.n : points.layers[lit].list.length;
  const room = Math.sqrt((0.6 * width * height) / shown);
  const least = Math.max(22, Math.min(64, room), Math.sqrt((0.56 * width * height) / MOST_THUMBS) / SMALLEST); // squares put at random fill 56 %
  return Math.min(
    least * Math.max(0.7, Math.sqrt(view.scale / fit)),
    1.5 * Math.min(...points.layers.map((layer) => layer.cell)),
  );
}

function drawPlane(plane) {
  const { points, canvas, view, lit, reach, ratio } = plane;
  if (!plane.width || !points.n) return;
  const [wide, high] = [Math.round(plane.width * ratio), Math.round(plane.height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const draw = canvas.getContext("2d");
  plane.side = thumbSide(plane);
  plane.thumbs = [];
  const [scale, full] = [view.scale * ratio, plane.side / view.scale];
  const pad = full / 2;
  const [x0, y0] = [view.x - wide / 2 / scale, view.y - high / 2 / scale];
  const [x1, y1] = [x0 + wide / scale, y0 + high / scale];
  const dot = dotsOn(plane, draw, wide, high);
  visit(points, [x0 - pad, y0 - pad, x1 + pad, y1 + pad], (k) => {
    const [x, y] = [points.x[k], points.y[k]];
    if (x < x0 - pad || x > x1 + pad || y < y0 - pad || y > y1 + pad) return;
    const bright = lit < 0 || points.layer[k] === lit;
    if (bright && reach[k] >= SMALLEST * full) plane.thumbs.push(k);
    else dot.put((x - x0) * scale, (y - y0) * scale, points.layer[k], bright);
  });
  dot.show();
  drawThumbs(plane, draw, (k) => [
    (points.x[k] - x0) * scale,
    (points.y[k] - y0) * scale,
    Math.round(plane.side * ratio * Math.min(1, (2 * reach[k]) / full - 1)),
  ]);
}

/** Dots are set pixel by pixel: tens of thousands in a few milliseconds. */
function dotsOn(plane, draw, wide, high) {
  if (plane.image?.width !== wide || plane.image?.height !== high) {
    plane.image = draw.createImageData(wide, high);
    plane.pixels = new Uint32Array(plane.image.data.buffer);
  }
  const { pixels, ratio, view, fit } = plane;
  pixels.fill(0);
  plane.colours ||= plane.points.layers
    .map((layer) => colourOfLayer(layer).match(/\d+/g).map(Number))
    .map(([r, g, b]) => (b << 16) | (g << 8) | r);
  const radius =
    ratio * Math.max(0.9, Math.min(4, 1.7 - 0.3 * Math.log10(plane.points.n / 100) + 0.4 * Math.log2(view.scale / fit)));
  const reach = Math.ceil(radius);
  const stamp = [];
  for (let y = -reach; y <= reach; y += 1)
    for (let x = -reach; x <= reach; x += 1) {
      const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(x, y)));
      if (cover > 0.05) stamp.push([y * wide + x, Math.round(230 * cover)]);
    }
  return {
    put(x, y, layer, bright) {
      if (x < reach + 1 || y < reach + 1 || x > wide - reach - 2 || y > high - reach - 2) return;
      const at = Math.round(y) * wide + Math.round(x);
      for (let k = 0; k < stamp.length; k += 1) {
        const alpha = bright ? stamp[k][1] : stamp[k][1] >> 2;
        const to = at + stamp[k][0];
        if (alpha >= pixels[to] >>> 24) pixels[to] = (alpha << 24) | plane.colours[layer];
      }
    },
    show: () => draw.putImageData(plane.image, 0, 0),
  };
}

/** place(point) → [x, y, side] in pixels of the canvas. A frame in the layer's colour, and the image as soon as its sheet is there. */
function drawThumbs(plane, draw, place) {
  const { points, thumbs, ratio, sheets } = plane;
  const line = plane.side > 60 ? Math.round(1.5 * ratio) : Math.round(ratio);
  const [missing, blurred] = [new Map(), new Map()]; // sheet → how many wait for it
  const spots = thumbs
    .map((k) => {
      const [x, y, side] = place(k);
      return [k, Math.round(x - side / 2), Math.round(y - side / 2), side];
    })
    .sort((a, b) => points.layer[a[0]] - points.layer[b[0]]);
  let layer = -1;
  for (const [k, x, y, side] of spots) {
    if (points.layer[k] !== layer) {
      layer = points.layer[k];
      draw.fillStyle = colourOfLayer(points.layers[layer]);
    }
    draw.globalAlpha = 1;
    draw.fillRect(x, y, side, side);
    const { source, column, row } = (points.sprites[k] ||= spriteOf(
      points.layers[layer],
      points.channel[k],
      standing(points.layers[layer], points.channel[k]),
    ));
    const sheet = sheets.get(source);
    if (!sheet) {
      if (sheet === undefined) missing.set(source, (missing.get(source) || 0) + 1);
      draw.clearRect(x + line, y + line, side - 2 * line, side - 2 * line);
      draw.globalAlpha = 0.3;
      draw.fillRect(x + line, y + line, side - 2 * line, side - 2 * line);
      continue;
    }
    const sharp = side >= 0.55 * sheet.cell && plane.sharp.get(k);
    if (!sharp && side >= 0.55 * sheet.cell) blurred.set(sheet, [...(blurred.get(sheet) || []), k]);
    const cell = sharp ? 0 : sheet.cell / 2;
    draw.drawImage(
      sharp || sheet.half,
      column * cell,
      row * cell,
      cell || sheet.cell,
      cell || sheet.cell,
      x + line,
      y + line,
      side - 2 * line,
      side - 2 * line,
    );
  }
  draw.globalAlpha = 1;
  sharpen(plane, [...blurred].sort((a, b) => b[1].length - a[1].length)[0]);
  drawPointed(plane, draw, place);
  sheets.want([...missing].sort((a, b) => b[1] - a[1]).map(([source]) => source));
}

/** Cut thumbnails of one sheet out at their full size: a browser decodes the whole sheet for that, so it waits until nothing moves. */
function sharpen(plane, most) {
  const { points, sharp, again } = plane;
  if (!most || plane.sharpening) return;
  plane.sharpening = true;
  atRest(() => {
    plane.sharpening = false;
    const [{ full, cell }, blurred] = most;
    for (const k of blurred) {
      const { column, row } = points.sprites[k];
      const one = el("canvas", { width: cell, height: cell });
      one.getContext("2d").drawImage(full, column * cell, row * cell, cell, cell, 0, 0, cell, cell);
      sharp.set(k, one);
    }
    for (const k of [...sharp.keys()].slice(0, Math.max(0, sharp.size - MOST_SHARP))) sharp.delete(k);
    again();
  });
}

function drawPointed({ pointed, thumbs, canvas, ratio }, draw, place) {
  if (pointed < 0) return;
  const [x, y, side] = place(pointed);
  const half = (thumbs.includes(pointed) ? side / 2 : 4 * ratio) + 2 * ratio;
  draw.strokeStyle = getComputedStyle(canvas).getPropertyValue("--text");
  draw.lineWidth = 2 * ratio;
  draw.strokeRect(Math.round(x - half), Math.round(y - half), Math.round(2 * half), Math.round(2 * half));
}
