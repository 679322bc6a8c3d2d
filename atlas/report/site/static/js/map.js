// #/map/<model> : every feature of a network on a plane. Thumbnails where there is room for one, dots for the others.

const mapViews = new Map(); // "model probe" → where one looked last: whoever comes back finds it so

function mapPage(model, held, query) {
  const title = (...rest) => el("header.title", el("h1", el("span.dot"), model.name), ...rest);
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
    title(
      el("p.lead", count(plane.points.n, "feature"), el("span.quiet", " on a plane: near means alike")),
      el(
        "div.tools",
        el("span.quiet.small", "What is the ", term("map", "map"), "?"),
        picker(
          "Probe",
          probes.map((name) => [name, name]),
          probe,
          (value) => {
            changeQuery({ probe: value });
            render();
          },
        ),
      ),
    ),
    el("div.plane", plane.canvas, layerKeys(model, plane), zoomButtons(plane.keys)),
    plane.said,
    foot([
      [
        "The places as a table",
        sql(`select feature, x, y from layout where model = '${sqlText(model.name)}' and probe = '${sqlText(probe)}'`),
      ],
    ]),
  );
}

/** The layers with their colours; the one that is pressed stays bright, and the others step back. */
function layerKeys(model, plane) {
  const there = new Set(plane.points.layer);
  const keys = model.layers.map(
    (layer, k) =>
      there.has(k) &&
      el(
        "button.layerkey",
        {
          type: "button",
          "aria-pressed": String(plane.lit === k),
          style: { "--model": colourOfLayer(layer) },
          onclick: ({ currentTarget }) => {
            plane.light(plane.lit === k ? -1 : k);
            changeQuery({ layer: plane.lit < 0 ? null : layer.name });
            for (const key of keys) if (key) key.setAttribute("aria-pressed", String(key === currentTarget && plane.lit >= 0));
          },
        },
        el("span.dot"),
        el("span", layer.name),
      ),
  );
  return el("div.layerkeys", { role: "group", "aria-label": "Layers" }, keys);
}

// the canvas

function makePlane(model, data, name) {
  const points = readPoints(model, data);
  const canvas = el("canvas.stage", {
    tabindex: "0",
    role: "application",
    "aria-label": `Map of ${count(points.n, "feature")} of ${model.name}: plus and minus zoom, 0 shows all, arrows move, Enter opens the feature in the middle`,
  });
  const said = el(
    "p.quiet.small.said",
    { "aria-live": "polite" },
    "Drag to move, scroll or pinch to zoom; a click opens a feature.",
  );
  const plane = {
    points,
    canvas,
    said,
    lit: -1,
    pointed: -1,
    thumbs: [],
    view: mapViews.get(name),
    sheets: sheetStore(() => ask()),
    sharp: new Map(),
    again: () => ask(),
  };
  const reachOf = new Map(); // lit layer → reach
  let [due, timer] = [0, 0];
  const ask = () => {
    due ||= requestAnimationFrame(() => {
      due = 0;
      if (canvas.isConnected) drawPlane(plane);
    });
  };
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
    if (!event)
      said.replaceChildren(
        "In the middle: ",
        el("a", { href: routes.feature(layer, channel) }, el("strong", addressOf(layer, channel)), " ", named(layer, channel)),
        ". Enter opens it.",
      );
    else
      timer = setTimeout(
        () =>
          canvas.isConnected &&
          plane.pointed === k &&
          showPeek(event.clientX, event.clientY, [{ layer, channel }], peekLines(layer, channel)),
        90,
      );
  };
  const open = (k) => k >= 0 && go(routes.feature(model.layers[points.layer[k]], points.channel[k]));
  const pan = (dx, dy) => {
    look({ x: plane.view.x - dx / plane.view.scale, y: plane.view.y - dy / plane.view.scale });
  };
  const zoom = (factor, px = plane.width / 2, py = plane.height / 2) => {
    const { scale, x, y } = plane.view;
    const to = nearest(scale * factor);
    const [dx, dy] = [px - plane.width / 2, py - plane.height / 2];
    look({ scale: to, x: x + dx / scale - dx / to, y: y + dy / scale - dy / to });
  };
  const all = () => look({ scale: plane.fit, x: points.wide / 2, y: points.high / 2 });
  const far = () => Math.min(plane.width, plane.height) / 6;
  plane.keys = {
    "+": () => zoom(1.6),
    "=": () => zoom(1.6),
    "-": () => zoom(1 / 1.6),
    _: () => zoom(1 / 1.6),
    0: all,
    ArrowLeft: () => pan(far(), 0),
    ArrowRight: () => pan(-far(), 0),
    ArrowUp: () => pan(0, far()),
    ArrowDown: () => pan(0, -far()),
  };
  plane.light = (lit) => {
    plane.lit = lit;
    if (!reachOf.has(lit)) reachOf.set(lit, reaches(points, lit));
    plane.reach = reachOf.get(lit);
    const some = plane.reach.filter((one) => one > 0).sort();
    plane.closest = some.length ? 120 / some[Math.floor(some.length / 50)] : 0; // where nearly all have room
    point(-1);
  };
  gestures(canvas, {
    pan,
    zoom,
    hover: (x, y, event) => point(hitPoint(plane, x, y), event),
    out: () => point(-1),
    tap: (x, y) => open(hitPoint(plane, x, y)),
  });
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
      if (plane.view) look({});
      else plane.view = { scale: plane.fit, x: points.wide / 2, y: points.high / 2 };
      drawPlane(plane);
    });
    size.observe(canvas);
    pageEnd.signal.addEventListener("abort", () => size.disconnect());
    addEventListener("themechange", ask, { signal: pageEnd.signal });
  });
  return plane;
}

/** The point nearest to the middle: of those that show as images, where there are any. */
function middlePoint(plane) {
  const {
    points: { x, y },
    view,
    thumbs,
  } = plane;
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
    if (off(k) < least && (lit < 0 || points.layer[k] === lit) && reach[k] > 0) [best, least] = [k, off(k)];
  });
  return best;
}
