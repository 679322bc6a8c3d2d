// A map as dots: thumbnails where there is room for one, dots for the others.

const MOST_THUMBS = 1500; // a frame
const SMALLEST = 0.75; // of a thumbnail's side, is the reach with which one begins to show

function dotsLook(model, held) {
  const points = readPoints(model, held);
  const whole = (plane) => {
    const side = leastSide(plane);
    return Math.max(1, Math.min((plane.width - side) / (points.wide || 1), (plane.height - side) / (points.high || 1)));
  };
  return {
    points,
    kind: "dots",
    thumbs: [],
    range: (plane) => [whole(plane), Math.max(1.01 * whole(plane), 8 * whole(plane) + plane.closest)],
    fit: whole,
    kept: (plane, view) => nearSome(plane, { ...view, x: within(view.x, points.wide), y: within(view.y, points.high) }),
    hit: hitPoint,
    middle: middlePoint,
    closest: 0,
    light(plane) {
      plane.reach = reaches(points, plane.lit);
      const some = plane.reach.filter((one) => one > 0).sort();
      plane.closest = some.length ? 120 / some[Math.floor(some.length / 50)] : 0; // where nearly all have room
    },
    draw(plane) {
      if (!plane.reach) this.light(plane);
      plane.fitted = whole(plane);
      drawPlane(plane);
    },
  };
}

const within = (value, most) => Math.max(0, Math.min(most, value));

/** A view with at least one point in it: between groups it moves to the nearest. */
function nearSome({ points, width, height }, view) {
  const { x, y, scale } = view;
  const [w, h] = [(0.4 * width) / scale, (0.4 * height) / scale];
  const off = (k) => Math.max(Math.abs(points.x[k] - x) - w, Math.abs(points.y[k] - y) - h);
  let seen = false;
  visit(points, [x - w, y - h, x + w, y + h], (k) => {
    seen ||= off(k) <= 0;
  });
  if (seen) return view;
  let best = 0;
  for (let k = 1; k < points.n; k += 1) if (off(k) < off(best)) best = k;
  return {
    scale,
    x: Math.max(points.x[best] - w, Math.min(points.x[best] + w, x)),
    y: Math.max(points.y[best] - h, Math.min(points.y[best] + h, y)),
  };
}

/** The point nearest to the middle: of those that show as images, where there are any. */
function middlePoint(plane) {
  const {
    points: { x, y },
    view,
    thumbs,
    lit,
  } = plane;
  if (lit) return nearestOf(plane.points, view, lit);
  const off = (k) => Math.hypot(x[k] - view.x, y[k] - view.y);
  return thumbs.length
    ? thumbs.reduce((best, k) => (off(k) < off(best) ? k : best))
    : hitPoint(plane, plane.width / 2, plane.height / 2, Infinity);
}

/** The point that is meant by a place of the canvas: the thumbnail there, or else the nearest bright dot; or -1. */
function hitPoint({ points, view, width, height, side, thumbs, lit, reach }, px, py, far = 9) {
  const [x, y] = [view.x + (px - width / 2) / view.scale, view.y + (py - height / 2) / view.scale];
  const off = (k) => Math.max(Math.abs(points.x[k] - x), Math.abs(points.y[k] - y)) * view.scale;
  const over = thumbs.find((k) => off(k) <= side / 2);
  if (over !== undefined) return over;
  let [best, least] = [-1, far];
  const wide = Math.min(far, width) / view.scale;
  visit(points, [x - wide, y - wide, x + wide, y + wide], (k) => {
    if (off(k) < least && (!lit || lit[k]) && reach[k] > 0) [best, least] = [k, off(k)];
  });
  return best;
}

/** The side in px of a thumbnail where all of the map is seen. */
function leastSide({ points, lit, width, height }) {
  const shown = lit ? lit.reduce((sum, one) => sum + one, 0) || 1 : points.n;
  return Math.max(
    22,
    Math.min(64, Math.sqrt((0.6 * width * height) / shown)),
    Math.sqrt((0.56 * width * height) / MOST_THUMBS) / SMALLEST,
  ); // squares put at random fill 56 %
}

/** The side of a thumbnail in px: it grows with the zoom, but more slowly, so that zooming in makes room. */
function thumbSide(plane) {
  const grown = leastSide(plane) * Math.max(0.7, Math.sqrt(plane.view.scale / plane.fitted));
  return Math.min(grown, 1.5 * Math.min(...plane.points.layers.map((layer) => layer.cell)));
}

function drawPlane(plane) {
  const { points, canvas, view, lit, reach, ratio } = plane;
  if (!points.n) return;
  const draw = canvasOf(plane);
  const [wide, high] = [canvas.width, canvas.height];
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
    const bright = !lit || lit[k];
    if (bright && reach[k] >= SMALLEST * full) plane.thumbs.push(k);
    else dot.put((x - x0) * scale, (y - y0) * scale, points.layer[k], bright);
  });
  dot.show();
  drawThumbs(plane, draw, (k) => {
    const side = Math.round(plane.side * ratio * Math.min(1, (2 * reach[k]) / full - 1));
    return [Math.round((points.x[k] - x0) * scale - side / 2), Math.round((points.y[k] - y0) * scale - side / 2), side];
  });
}

/** Dots are set pixel by pixel: tens of thousands in a few milliseconds. */
function dotsOn(plane, draw, wide, high) {
  if (plane.image?.width !== wide || plane.image?.height !== high) {
    plane.image = draw.createImageData(wide, high);
    plane.pixels = new Uint32Array(plane.image.data.buffer);
  }
  const { pixels, ratio, view, fitted } = plane;
  pixels.fill(0);
  const colours = plane.points.layers
    .map((layer) => colourOfLayer(layer).match(/\d+/g).map(Number))
    .map(([r, g, b]) => (b << 16) | (g << 8) | r);
  const radius =
    ratio * Math.max(1.6, Math.min(4, 2 - 0.3 * Math.log10(plane.points.n / 100) + 0.4 * Math.log2(view.scale / fitted)));
  const reach = Math.ceil(radius);
  const stamp = [];
  for (let y = -reach; y <= reach; y += 1)
    for (let x = -reach; x <= reach; x += 1) {
      const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(x, y)));
      if (cover > 0.05) stamp.push([y * wide + x, Math.round(255 * cover)]);
    }
  return {
    put(x, y, layer, bright) {
      if (x < reach + 1 || y < reach + 1 || x > wide - reach - 2 || y > high - reach - 2) return;
      const at = Math.round(y) * wide + Math.round(x);
      for (let k = 0; k < stamp.length; k += 1) {
        const alpha = bright ? stamp[k][1] : stamp[k][1] >> 2;
        const to = at + stamp[k][0];
        if (alpha >= pixels[to] >>> 24) pixels[to] = (alpha << 24) | colours[layer];
      }
    },
    show: () => draw.putImageData(plane.image, 0, 0),
  };
}

/** place(point) → [x, y, side] in pixels of the canvas. A frame in the layer's colour, and the image as soon as its sheet is there. */
function drawThumbs(plane, draw, place) {
  const { points, thumbs, ratio } = plane;
  const pointed = markedOf(plane);
  const line = Math.round(plane.side > 60 ? 1.5 * ratio : ratio);
  const painter = thumbPainter(plane, draw);
  for (const k of thumbs) {
    const [x, y, side] = place(k);
    draw.fillStyle = colourOfLayer(points.layers[points.layer[k]]);
    draw.fillRect(x, y, side, side);
    if (!painter.put(k, x + line, y + line, side - 2 * line, side - 2 * line))
      draw.clearRect(x + line, y + line, side - 2 * line, side - 2 * line);
  }
  painter.done();
  if (pointed < 0) return;
  const [x, y, side] = place(pointed);
  const shown = thumbs.includes(pointed);
  drawFrame(draw, shown ? x : x + side / 2 - 4 * ratio, shown ? y : y + side / 2 - 4 * ratio, shown ? side : 8 * ratio, ratio);
}
