// #/map/<model> : every feature of a network, near those that answer alike: as a picture of all (mosaic.js), or as dots (plane.js).

const mapViews = new Map(); // "model probe kind" → {view, framed}: where one looked last; whoever comes back finds it so
const LOOKS = { grid: "Pictures", dots: "Dots" };

function mapPage(model, held, query) {
  if (!held)
    return html`<div.page style=${{ "--model": colourOfModel(model) }}>
      <header.title><h1><span.dot></span>${model.name}</h1></header>${notCompared()}${foot([])}</div>`;
  const probes = Object.keys(held);
  const probe = probes.includes(query.probe) ? query.probe : probes[0];
  const kind = Object.hasOwn(LOOKS, query.view) ? query.view : "grid";
  const look = kind === "dots" ? dotsLook(model, held[probe]) : mosaicLook(model, held[probe], probe);
  const plane = makePlane(model, look, `${model.name} ${probe} ${kind}`);
  const finder = mapFinder(model, plane, query);
  const at = parseAddress(`${model.name}/${query.at || ""}`);
  if (at)
    plane.seek = plane.points.layer.findIndex((k, n) => model.layers[k] === at.layer && plane.points.channel[n] === at.channel);
  return html`<div.page.mapped style=${{ "--model": colourOfModel(model) }}>
    <header.title>
      <h1><span.dot></span>${model.name}</h1>
      <p.lead>${count(plane.points.n, "feature")} <span.quiet>\u2013 ${term("map", "near means alike")}</span></p>
      <div.tools>
        ${finder.field}
        ${choices("Show", Object.entries(LOOKS), kind, (value) => redraw({ view: value === "grid" ? null : value }))}
        ${picker(
          "Compared on",
          probes.map((name) => [name, probeWords(name)]),
          probe,
          (value) => redraw({ probe: value }),
        )}
      </div>
      ${finder.keys}
    </header>
    <div.plane>${plane.canvas}${zoomButtons(plane.keys)}</div>
    ${plane.said}
    ${foot([["The places as a table", sql(`select feature, x, y from layout where model = '${sqlText(model.name)}' and probe = '${sqlText(probe)}'`)]])}
  </div>`;
}

/** A field and the layers as buttons: what they find stays bright, and all else steps back. */
function mapFinder(model, plane, query) {
  const { points } = plane;
  const there = new Set(points.layer);
  let layer = model.layers.find((one) => one.name === query.layer && there.has(model.layers.indexOf(one)));
  const light = (text, zoom) => {
    if (!layer && !text.trim()) return plane.light(null);
    // an address means its own feature alone, with or without the network
    const exact = parseAddress(text.trim()) || parseAddress(`${model.name}/${text.trim()}`);
    const meant = exact ? (mine, channel) => mine === exact.layer && channel === exact.channel : meaningOf(text).is;
    const lit = Uint8Array.from({ length: points.n }, (_, k) => {
      const mine = model.layers[points.layer[k]];
      return (!layer || layer === mine) && meant(mine, points.channel[k]);
    });
    const found = lit.reduce((sum, one) => sum + one, 0);
    plane.light(lit, zoom && found > 0);
    plane.said.replaceChildren(
      `${found.toLocaleString("en")} of ${count(points.n, "feature")} ${found === 1 ? "is" : "are"} lit.`,
      ...(found ? [] : [offered("find", text, layer ? [layer] : model.layers.filter((_, k) => there.has(k)))].flat(Infinity).filter(Boolean)),
    );
  };
  const change = (zoom) => {
    changeQuery({ layer: layer?.name, find: field.value.trim() || null });
    light(field.value, zoom);
  };
  const field = html`<input.mapfind type="search" value=${query.find || ""} placeholder="Find on the map" aria-label="Find on the map"
    oninput=${debounced(150, () => change(false))} onkeydown=${({ key }) => key === "Enter" && change(true)} />`;
  const keys = model.layers.map(
    (one, k) =>
      there.has(k) &&
      html`<button.layerkey type="button" title=${one.name} aria-pressed=${String(one === layer)}
      style=${{ "--model": colourOfLayer(one) }} onclick=${({ currentTarget }) => {
        layer = layer === one ? undefined : one;
        for (const key of keys) if (key) key.setAttribute("aria-pressed", String(key === currentTarget && layer !== undefined));
        change(true);
      }}><span.dot></span><span>${one.name}</span></button>`,
  );
  if (layer || query.find) whenShown(() => light(field.value, !query.at));
  return { field, keys: html`<div.layerkeys role="group" aria-label="Layers">${keys}</div>` };
}

/**
 * The frame of a map: what a hand and keys do to it. look: {points, fit(plane), range(plane), kept(plane, view), draw(plane),
 * hit(plane, x, y), middle(plane), light(plane)}; a view is {scale, x, y}: px for each unit of the points, and the place in the middle.
 */
function makePlane(model, look, name) {
  const { points } = look;
  const left = mapViews.get(name);
  const plane = {
    ...look,
    canvas: html`<canvas class=${`stage ${look.kind || ""}`} tabindex="0" role="application" aria-label=${`Map of ${count(points.n, "feature")} of ${model.name}: plus and minus zoom, 0 shows all, arrows move, Enter opens the feature in the frame`}></canvas>`,
    said: html`<p.quiet.small.said aria-live="polite">Drag to move, scroll or pinch to zoom; a click opens a feature.</p>`,
    lit: null,
    pointed: -1, // by the pointer
    framed: -1, // the one that Enter opens: stays as long as it is in view, else it is the one in the middle
    seek: -1, // the point that is to be shown first
    first: null, // the points that are to be shown first
    view: left?.view,
    sheets: sheetStore(() => ask()),
    sharp: new Map(),
    again: () => ask(),
  };
  const { canvas } = plane;
  let [due, timer] = [0, 0];
  const ask = () => {
    due ||= requestAnimationFrame(() => {
      due = 0;
      if (canvas.isConnected && plane.width) redrawPlane();
    });
  };
  const nearest = (scale) => Math.max(look.range(plane)[0], Math.min(look.range(plane)[1], scale));
  /** Draw, and see to the frame: where it has moved, what it holds is told, and it is drawn there. */
  const frameOf = () => (inView(plane, plane.framed) ? plane.framed : look.middle(plane));
  const redrawPlane = (choose = frameOf) => {
    look.draw(plane);
    const frame = choose();
    if (frame === plane.framed) return;
    hold(frame);
    look.draw(plane);
    if (!plane.first || plane.seek >= 0) tell(); // else how many are lit stands there
  };
  const tell = () => {
    if (plane.framed < 0) return;
    const [layer, channel] = told(plane.framed);
    plane.said.replaceChildren(
      "In the frame: ",
      html`<a href=${linkOf(layer, channel)}><strong>${addressOf(layer, channel)}</strong> ${named(layer, channel)}</a>`,
      ". Enter opens it.",
    );
  };
  const move = (changes) => {
    if (!plane.view) return;
    if (plane.pointed >= 0) point(-1);
    const wanted = { ...plane.view, ...changes };
    plane.view = look.kept(plane, { ...wanted, scale: nearest(wanted.scale) });
    hold(plane.framed);
    ask();
  };
  const hold = (framed) => {
    plane.framed = framed;
    mapViews.set(name, { view: plane.view, framed });
  };
  const linkOf = (layer, channel) => routes.feature(layer, channel, trailAt(ownTrail(), mapPlace({ layer, channel })));
  const told = (k) => [model.layers[points.layer[k]], points.channel[k]];
  const point = (k, event) => {
    clearTimeout(timer);
    if (k === plane.pointed && event) return;
    plane.pointed = k;
    canvas.style.cursor = k < 0 ? "" : "pointer";
    hidePeek();
    ask();
    if (k < 0) return;
    const [layer, channel] = told(k);
    timer = setTimeout(
      () =>
        canvas.isConnected &&
        plane.pointed === k &&
        showPeek(event.clientX, event.clientY, [{ layer, channel }], peekLines(layer, channel)),
      90,
    );
  };
  const open = (k) => {
    if (k < 0) return;
    hold(k);
    go(linkOf(...told(k)));
  };
  const pan = (dx, dy) => move({ x: plane.view.x - dx / plane.view.scale, y: plane.view.y - dy / plane.view.scale });
  const zoom = (factor, px = plane.width / 2, py = plane.height / 2) => {
    const { scale, x, y } = plane.view;
    const to = nearest(scale * factor);
    const [dx, dy] = [px - plane.width / 2, py - plane.height / 2];
    move({ scale: to, x: x + dx / scale - dx / to, y: y + dy / scale - dy / to });
  };
  const all = () => move({ scale: look.range(plane)[0], x: points.wide / 2, y: points.high / 2 });
  const far = () => Math.min(plane.width, plane.height) / 6;
  const closer = (factor) => zoom(factor, ...(inView(plane, plane.framed) ? placeOn(plane, plane.framed) : []));
  plane.keys = {
    "+": () => closer(1.6),
    "=": () => closer(1.6),
    "-": () => closer(1 / 1.6),
    _: () => closer(1 / 1.6),
    0: all,
    ArrowLeft: () => pan(far(), 0),
    ArrowRight: () => pan(-far(), 0),
    ArrowUp: () => pan(0, far()),
    ArrowDown: () => pan(0, -far()),
    Enter: () => open(inView(plane, plane.framed) ? plane.framed : look.middle(plane)),
  };
  const press = (key) => {
    if (!Object.hasOwn(plane.keys, key) || !plane.view || !plane.width) return false;
    const before = plane.view;
    plane.keys[key]();
    const stays = plane.view.x === before.x && plane.view.y === before.y;
    const next = () => (stays ? besideFrame(plane, SIDES[key]) : look.middle(plane));
    if (canvas.isConnected && key !== "Enter") redrawPlane(SIDES[key] ? next : frameOf);
    return true;
  };
  // as long as no control has the keyboard, the map has it
  walker = (key) => document.activeElement === document.body && press(key);
  plane.light = (lit, zoomed) => {
    plane.lit = lit;
    look.light(plane);
    if (zoomed && plane.width) move(around(plane, lit));
    else if (zoomed) plane.first = lit; // as soon as there is a window to fill
    if (!plane.view) return;
    point(-1);
    if (plane.width) redrawPlane(() => (lit && !lit[plane.framed] ? look.middle(plane) : frameOf()));
    if (!lit) tell();
  };
  gestures(canvas, {
    pan,
    zoom,
    hover: (x, y, event) => point(look.hit(plane, x, y), event),
    out: () => point(-1),
    tap: (x, y) => open(look.hit(plane, x, y)),
  });
  canvas.addEventListener("keydown", (event) => {
    const held = event.repeat && event.key === "Enter"; // since the page before
    if (event.ctrlKey || event.metaKey || event.altKey || held || !press(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  whenShown(() => {
    if (begun) canvas.focus({ preventScroll: true });
    const size = new ResizeObserver(() => {
      Object.assign(plane, { width: canvas.clientWidth, height: canvas.clientHeight, ratio: Math.min(2, devicePixelRatio || 1) });
      plane.view ||= { scale: look.fit(plane), x: points.wide / 2, y: points.high / 2 };
      // whoever comes back from the feature that was in the frame finds all as it was left
      if (plane.seek >= 0) plane.first = plane.seek === left?.framed ? null : Uint8Array.from({ length: points.n }, (_, k) => k === plane.seek);
      move(plane.first ? around(plane, plane.first) : {});
      const { seek } = plane;
      redrawPlane(() => (inView(plane, seek) ? seek : frameOf()));
      Object.assign(plane, { first: null, seek: -1 });
    });
    size.observe(canvas);
    pageEnd.signal.addEventListener("abort", () => size.disconnect());
    addEventListener("themechange", ask, { signal: pageEnd.signal });
  });
  return plane;
}

const SIDES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The feature next to the framed one on a side, where the map itself cannot move there any more. */
function besideFrame(plane, [dx, dy]) {
  if (plane.framed < 0) return plane.framed;
  const [x, y] = placeOn(plane, plane.framed);
  let [best, least] = [plane.framed, Infinity];
  for (let k = 0; k < plane.points.n; k += 1) {
    const place = placeOn(plane, k);
    const along = (place[0] - x) * dx + (place[1] - y) * dy;
    const away = along + 2 * Math.abs((place[0] - x) * dy - (place[1] - y) * dx);
    if (along > 0.5 && away < least && (!plane.lit || plane.lit[k])) [best, least] = [k, away];
  }
  return best;
}

/** Where a point stands in the window, in px from its corner. */
const placeOn = ({ points, view, width, height }, k) => [
  (points.x[k] - view.x) * view.scale + width / 2,
  (points.y[k] - view.y) * view.scale + height / 2,
];

function inView(plane, k) {
  if (k < 0 || !plane.view) return false;
  const [x, y] = placeOn(plane, k);
  return x >= 0 && y >= 0 && x <= plane.width && y <= plane.height;
}

/** The view that shows all that is lit, with as much again around it. */
function around({ points, width, height }, lit) {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  lit.forEach((one, k) => {
    if (one)
      [x0, y0, x1, y1] = [
        Math.min(x0, points.x[k]),
        Math.min(y0, points.y[k]),
        Math.max(x1, points.x[k]),
        Math.max(y1, points.y[k]),
      ];
  });
  const room = 2 * points.near; // of a single point: its neighborhood
  return { scale: Math.min(width / (x1 - x0 + room), height / (y1 - y0 + room)), x: (x0 + x1) / 2, y: (y0 + y1) / 2 };
}

/** A frame around the feature that is pointed at: dark and light, so that it shows on any picture. */
function drawFrame(draw, x, y, side, ratio) {
  for (const [colour, grow, width] of [
    ["#000", 3, 5],
    ["#fff", 3, 2],
  ]) {
    Object.assign(draw, { strokeStyle: colour, lineWidth: width * ratio });
    draw.strokeRect(
      Math.round(x - grow * ratio),
      Math.round(y - grow * ratio),
      Math.round(side + 2 * grow * ratio),
      Math.round(side + 2 * grow * ratio),
    );
  }
}
