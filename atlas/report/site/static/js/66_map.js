// #/map/<model> : every feature of a network on a plane. Thumbnails where there is room for one, dots for the others.

const MOST_THUMBS = 1500; // a frame
const SMALLEST = 0.75; // of a thumbnail's side, is the reach with which one begins to show
const MOST_SHARP = 2000; // thumbnails at their full size kept at hand
const MOST_LOADS = 3; // sheets on their way at a time
const mapViews = new Map(); // "model probe" → where one looked last: whoever comes back finds it so

function mapPage(model, held, query) {
  const title = (...rest) => el("header.title", {}, el("h1", {}, el("span.dot"), model.name), ...rest);
  const page = (...rest) => el("div.page.mapped", { style: { "--model": colourOfModel(model) } }, ...rest);
  if (!held) {
    return page(title(), notCompared(), foot([]));
  }
  const probes = Object.keys(held);
  const probe = probes.includes(query.probe) ? query.probe : probes[0];
  const plane = makePlane(model, held[probe], `${model.name} ${probe}`);
  const lit = model.layers.findIndex((layer) => layer.name === query.layer);
  plane.light(plane.points.layer.includes(lit) ? lit : -1);
  return page(
    title(el("p.lead", {}, count(plane.points.n, "feature"), el("span.quiet", {}, " on a plane: near means alike")),
      el("div.tools", {}, el("span.quiet.small", {}, "What is the ", term("map", "map"), "?"),
        picker("Probe", probes.map((name) => [name, name]), probe, (value) => { changeQuery({ probe: value }); render(); }))),
    el("div.plane", {}, plane.canvas, layerKeys(model, plane), zoomButtons(plane.keys)),
    plane.said,
    foot([["The places as a table", sql(`select feature, x, y from layout where model = '${sqlText(model.name)}' and probe = '${sqlText(probe)}'`)]]));
}

/** The layers with their colours; the one that is pressed stays bright, and the others step back. */
function layerKeys(model, plane) {
  const there = new Set(plane.points.layer);
  const keys = model.layers.map((layer, k) => there.has(k) && el("button.layerkey", {
    type: "button", "aria-pressed": String(plane.lit === k), style: { "--model": colourOfLayer(layer) },
    onclick: ({ currentTarget }) => {
      plane.light(plane.lit === k ? -1 : k);
      changeQuery({ layer: plane.lit < 0 ? null : layer.name });
      for (const key of keys) if (key) key.setAttribute("aria-pressed", String(key === currentTarget && plane.lit >= 0));
    },
  }, el("span.dot"), el("span", {}, layer.name)));
  return el("div.layerkeys", { role: "group", "aria-label": "Layers" }, keys);
}

// the canvas

function makePlane(model, data, name) {
  const points = readPoints(model, data);
  const canvas = el("canvas.stage", { tabindex: "0", role: "application", "aria-label": `Map of ${count(points.n, "feature")} of ${model.name}: plus and minus zoom, 0 shows all, arrows move, Enter opens the feature in the middle` });
  const said = el("p.quiet.small.said", { "aria-live": "polite" }, "Drag to move, scroll or pinch to zoom; a click opens a feature.");
  const plane = { points, canvas, said, lit: -1, pointed: -1, thumbs: [], view: mapViews.get(name), sheets: sheetStore(() => ask()), sharp: new Map(), again: () => ask() };
  const reachOf = new Map(); // lit layer → reach
  let [due, timer] = [0, 0];
  const ask = () => { due ||= requestAnimationFrame(() => { due = 0; if (canvas.isConnected) drawPlane(plane); }); };
  const nearest = (scale) => Math.max(plane.fit * 0.7, Math.min(plane.fit * 8 + plane.closest, scale));
  const look = (changes) => {
    if (!plane.view) return;
    if (plane.pointed >= 0) point(-1);
    const { scale, x, y } = { ...plane.view, ...changes };
    const near = (v, most) => Math.max(0, Math.min(most, v));
    plane.view = { scale: nearest(scale), x: near(x, points.wide), y: near(y, points.high) };
    mapViews.set(name, plane.view);
    ask();
  };
  const point = (k, event) => {
    clearTimeout(timer);
    if (k === plane.pointed && event) return;
    plane.pointed = k;
    canvas.style.cursor = k < 0 ? "" : "pointer";
    hidePeek();
    ask();
    if (k < 0) return;
    const [layer, channel] = [model.layers[points.layer[k]], points.channel[k]];
    if (!event) said.replaceChildren("In the middle: ", el("a", { href: routes.feature(layer, channel) }, el("strong", {}, addressOf(layer, channel))), ". Enter opens it.");
    else timer = setTimeout(() => canvas.isConnected && plane.pointed === k && showPeek(event.clientX, event.clientY, [{ layer, channel }], peekLines(layer, channel)), 90);
  };
  const open = (k) => k >= 0 && go(routes.feature(model.layers[points.layer[k]], points.channel[k]));
  const pan = (dx, dy) => { look({ x: plane.view.x - dx / plane.view.scale, y: plane.view.y - dy / plane.view.scale }); };
  const zoom = (factor, px = plane.width / 2, py = plane.height / 2) => {
    const { scale, x, y } = plane.view;
    const to = nearest(scale * factor);
    const [dx, dy] = [px - plane.width / 2, py - plane.height / 2];
    look({ scale: to, x: x + dx / scale - dx / to, y: y + dy / scale - dy / to });
  };
  const all = () => look({ scale: plane.fit, x: points.wide / 2, y: points.high / 2 });
  const far = () => Math.min(plane.width, plane.height) / 6;
  plane.keys = { "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), _: () => zoom(1 / 1.6), 0: all,
    ArrowLeft: () => pan(far(), 0), ArrowRight: () => pan(-far(), 0), ArrowUp: () => pan(0, far()), ArrowDown: () => pan(0, -far()) };
  plane.light = (lit) => {
    plane.lit = lit;
    if (!reachOf.has(lit)) reachOf.set(lit, reaches(points, lit));
    plane.reach = reachOf.get(lit);
    const some = plane.reach.filter((one) => one > 0).sort();
    plane.closest = some.length ? 120 / some[Math.floor(some.length / 50)] : 0; // where nearly all have room
    point(-1);
  };
  gestures(canvas, { pan, zoom, hover: (x, y, event) => point(hitPoint(plane, x, y), event), out: () => point(-1), tap: (x, y) => open(hitPoint(plane, x, y)) });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(plane.keys[event.key] || event.key === "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter") return void open(plane.pointed);
    plane.keys[event.key]();
    drawPlane(plane);
    point(middlePoint(plane));
  });
  whenShown(() => {
    const size = new ResizeObserver(() => {
      Object.assign(plane, { width: canvas.clientWidth, height: canvas.clientHeight, ratio: Math.min(2, devicePixelRatio || 1) });
      plane.fit = 0.92 * Math.min(plane.width / points.wide || 1, plane.height / points.high || 1);
      plane.view ? look({}) : (plane.view = { scale: plane.fit, x: points.wide / 2, y: points.high / 2 });
      drawPlane(plane);
    });
    size.observe(canvas);
    pageEnd.signal.addEventListener("abort", () => size.disconnect());
    addEventListener("themechange", ask, { signal: pageEnd.signal });
  });
  return plane;
}

/** The side of a thumbnail in px: it grows with the zoom, but more slowly, so that zooming in makes room. */
function thumbSide({ points, lit, fit, view, width, height }) {
  const shown = lit < 0 ? points.n : points.layers[lit].list.length;
  const room = Math.sqrt((0.6 * width * height) / shown);
  const least = Math.max(22, Math.min(64, room), Math.sqrt((0.56 * width * height) / MOST_THUMBS) / SMALLEST); // squares put at random fill 56 %
  return Math.min(least * Math.max(0.7, Math.sqrt(view.scale / fit)), 1.5 * Math.min(...points.layers.map((layer) => layer.cell)));
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
  drawThumbs(plane, draw, (k) => [(points.x[k] - x0) * scale, (points.y[k] - y0) * scale, Math.round(plane.side * ratio * Math.min(1, (2 * reach[k]) / full - 1))]);
}

/** Dots are set pixel by pixel: tens of thousands in a few milliseconds. */
function dotsOn(plane, draw, wide, high) {
  if (plane.image?.width !== wide || plane.image?.height !== high) {
    plane.image = draw.createImageData(wide, high);
    plane.pixels = new Uint32Array(plane.image.data.buffer);
  }
  const { pixels, ratio, view, fit } = plane;
  pixels.fill(0);
  plane.colours ||= plane.points.layers.map((layer) => colourOfLayer(layer).match(/\d+/g).map(Number)).map(([r, g, b]) => (b << 16) | (g << 8) | r);
  const radius = ratio * Math.max(0.9, Math.min(4, 1.7 - 0.3 * Math.log10(plane.points.n / 100) + 0.4 * Math.log2(view.scale / fit)));
  const reach = Math.ceil(radius);
  const stamp = [];
  for (let y = -reach; y <= reach; y += 1) for (let x = -reach; x <= reach; x += 1) {
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
  const spots = thumbs.map((k) => {
    const [x, y, side] = place(k);
    return [k, Math.round(x - side / 2), Math.round(y - side / 2), side];
  }).sort((a, b) => points.layer[a[0]] - points.layer[b[0]]);
  let layer = -1;
  for (const [k, x, y, side] of spots) {
    if (points.layer[k] !== layer) {
      layer = points.layer[k];
      draw.fillStyle = colourOfLayer(points.layers[layer]);
    }
    draw.globalAlpha = 1;
    draw.fillRect(x, y, side, side);
    const { source, column, row } = points.sprites[k] ||= spriteOf(points.layers[layer], points.channel[k], standing(points.layers[layer], points.channel[k]));
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
    draw.drawImage(sharp || sheet.half, column * cell, row * cell, cell || sheet.cell, cell || sheet.cell, x + line, y + line, side - 2 * line, side - 2 * line);
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

/** The point nearest to the middle: of those that show as images, where there are any. */
function middlePoint(plane) {
  const { points: { x, y }, view, thumbs } = plane;
  const off = (k) => Math.hypot(x[k] - view.x, y[k] - view.y);
  return thumbs.length ? thumbs.reduce((best, k) => (off(k) < off(best) ? k : best)) : hitPoint(plane, plane.width / 2, plane.height / 2, Infinity);
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
    if (off(k) < least && (lit < 0 || points.layer[k] === lit) && reach[k] > 0) [best, least] = [k, off(k)];
  });
  return best;
}
