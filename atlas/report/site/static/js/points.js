// The points of a map: where each stands, and which of them show as images at which zoom.

const DEEPEST = 15; // levels of the plane: 2 ** -15 is finer than the four decimals that places come with
const EVEN = 0.6; // of the way to even spacing along each axis: gaps between groups mean nothing in t-SNE

/** The features of a map that are in the overview: layer and channel of each point, and its place in the data. */
function readMembers(model, held) {
  const number = held.layers.map((name) => model.layers.findIndex((layer) => layer.name === name));
  const of = Array.from(held.layer.keys()).filter((k) => model.layers[number[held.layer[k]]]?.place.has(held.channel[k]));
  return {
    of,
    n: of.length,
    layer: Uint16Array.from(of, (k) => number[held.layer[k]]),
    channel: of.map((k) => held.channel[k]),
    sprites: Array.from({ length: of.length }),
    layers: model.layers,
  };
}

/** Places in a unit square, wide gaps narrowed, shaped like the window, and in buckets by place. */
function readPoints(model, held) {
  const members = readMembers(model, held);
  const shape = Math.max(0.6, Math.min(1.7, innerWidth / (innerHeight - 160)));
  const points = {
    ...members,
    x: evened(
      members.of.map((k) => held.x[k]),
      Math.min(1, shape),
      0,
    ),
    y: evened(
      members.of.map((k) => held.y[k]),
      Math.min(1, 1 / shape),
      3,
    ),
  };
  points.wide = points.x.reduce((a, b) => Math.max(a, b), 0);
  points.high = points.y.reduce((a, b) => Math.max(a, b), 0);
  points.near = 3 / Math.sqrt(Math.max(1, members.n));
  return Object.assign(points, bucketed(points));
}

/** From 0 to `side`, partly by rank. The shake is below the decimals that were kept: no two lie on one spot. */
function evened(values, side, turn) {
  const order = Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
  const [low, high] = [values[order[0]], values[order.at(-1)]];
  const made = new Float64Array(values.length);
  const shake = (k) => ((((k * (2 * turn + 1) + turn) * 0.618034) % 1) - 0.5) * 8e-5;
  order.forEach((k, rank) => {
    const place = (1 - EVEN) * ((values[k] - low) / (high - low || 1)) + EVEN * (rank / Math.max(1, values.length - 1));
    made[k] = side * place + shake(k);
  });
  return made;
}

/** The point nearest to the middle of a view, of those that are lit; -1 where none is. */
function nearestOf({ n, x, y }, view, lit) {
  let [best, least] = [-1, Infinity];
  for (let k = 0; k < n; k += 1) {
    const off = lit && !lit[k] ? Infinity : Math.hypot(x[k] - view.x, y[k] - view.y);
    if (off < least) [best, least] = [k, off];
  }
  return best;
}

/** The point that has the frame: the one under the pointer, or else the one that Enter opens. */
const markedOf = ({ pointed, framed }) => (pointed >= 0 ? pointed : framed);

const BUCKETS = 64;
const bucketOf = (v) => Math.max(0, Math.min(BUCKETS - 1, Math.floor(v * BUCKETS)));
function bucketed({ n, x, y }) {
  const first = new Uint32Array(BUCKETS * BUCKETS + 1);
  const mine = Uint16Array.from({ length: n }, (_, k) => bucketOf(y[k]) * BUCKETS + bucketOf(x[k]));
  for (const one of mine) first[one + 1] += 1;
  for (let k = 1; k < first.length; k += 1) first[k] += first[k - 1];
  const next = first.slice();
  const inside = new Uint32Array(n);
  mine.forEach((one, k) => {
    inside[next[one]++] = k;
  });
  return { first, inside };
}

/** act(point) for all that may lie in a rectangle of the plane. */
function visit({ first, inside }, [x0, y0, x1, y1], act) {
  for (let row = bucketOf(y0); row <= bucketOf(y1); row += 1) {
    const [from, to] = [first[row * BUCKETS + bucketOf(x0)], first[row * BUCKETS + bucketOf(x1) + 1]];
    for (let k = from; k < to; k += 1) act(inside[k]);
  }
}

/**
 * The reach of a point: how far it lies (the larger of dx and dy) from the nearest of those that show before it. Those whose reach is wide
 * enough for a thumbnail show as one: none covers another, panning changes none, and zooming in only adds to them.
 * First come, from coarse to fine, those nearest to the middles of the cells of a grid.
 */
function reaches({ n, x, y }, lit) {
  const reach = new Float32Array(n);
  const shown = [];
  let waiting = Array.from({ length: n }, (_, k) => k);
  if (lit) waiting = waiting.filter((k) => lit[k]);
  for (let level = 0; waiting.length && level <= DEEPEST; level += 1) {
    const across = 2 ** level;
    const wide = across + 8;
    const cell = (k) => (Math.floor(y[k] * across) + 3) * wide + Math.floor(x[k] * across) + 3;
    const taken = slots(wide * wide); // at most one in a cell: they lie that far apart
    for (const k of shown) taken.set(cell(k), k);
    const nearest = (k, around) => {
      let least = Infinity;
      for (let dy = -around; dy <= around; dy += 1)
        for (let dx = -around; dx <= around; dx += 1) {
          const other = taken.get(cell(k) + dy * wide + dx);
          if (other >= 0) least = Math.min(least, Math.max(Math.abs(x[other] - x[k]), Math.abs(y[other] - y[k])));
        }
      return least;
    };
    const take = (k) => {
      if (reach[k] || taken.get(cell(k)) >= 0 || nearest(k, 1) < 1 / across) return;
      reach[k] = nearest(k, 2);
      taken.set(cell(k), k);
      shown.push(k);
    };
    middles(x, y, waiting, across, cell, slots(wide * wide)).forEach(take);
    waiting.forEach(take);
    waiting = waiting.filter((k) => !reach[k]);
  }
  for (const k of waiting) reach[k] = 2 ** -DEEPEST / 2;
  return reach;
}

/** Numbers by cell, -1 where there is none; an array as long as that is small. */
function slots(n) {
  if (n > 1.5e6) {
    const held = new Map();
    return { get: (cell) => held.get(cell) ?? -1, set: (cell, k) => held.set(cell, k) };
  }
  const held = new Int32Array(n).fill(-1);
  return {
    get: (cell) => held[cell],
    set(cell, k) {
      held[cell] = k;
    },
  };
}

/** For each cell the point nearest to its middle. */
function middles(x, y, waiting, across, cell, best) {
  const off = (k) => Math.max(Math.abs(((x[k] * across) % 1) - 0.5), Math.abs(((y[k] * across) % 1) - 0.5));
  for (const k of waiting) {
    const other = best.get(cell(k));
    if (other < 0 || off(k) < off(other)) best.set(cell(k), k);
  }
  return waiting.filter((k) => best.get(cell(k)) === k);
}
