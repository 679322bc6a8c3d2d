// The numbers of a similarity matrix, and what they look like: one pixel for each pair, of a wide one first for several at once.

const LOOKED = 1.2; // px of a pair's cell from which on tiles are loaded

/** data: what lies above the diagonal. every: features that one number stands for; above 1 there are tiles of single pairs. */
function readMatrix(key, data, shade, changed) {
  const { channels, low, high, every, tile } = data;
  const [n, step, levels] = [channels.length, (high - low) / 255, bytes(data.data)];
  const m = Math.ceil(n / every);
  const above = (i, j) => levels[i * m - (i * (i + 1)) / 2 + j - (every > 1 ? 0 : i + 1)];
  const coarse = (i, j) => (i < j ? above(i, j) : above(j, i));
  const tiles = new Map(); // "row-column" \u2192 {levels, wide}, null while it is on its way
  const held = (i, j) => tiles.get(`${Math.floor(i / tile)}-${Math.floor(j / tile)}`);
  const level = (i, j) => {
    if (every === 1) return coarse(i, j);
    const [a, b] = [Math.min(i, j), Math.max(i, j)];
    const part = held(a, b);
    return part ? part.levels[(a % tile) * part.wide + (b % tile)] : coarse(Math.floor(i / every), Math.floor(j / every));
  };
  const colours = shadesOf((one) => shade.rgb(low + one * step));
  const pictures = new Map();
  const matrix = {
    n,
    every,
    tile,
    step,
    value: (i, j) => low + step * level(i, j),
    isExact: (i, j) => every === 1 || Boolean(held(Math.min(i, j), Math.max(i, j))),
    small: paintTriangle(m, levels, colours, every > 1),
    /** The picture of a tile; undefined while it is not there, and then it is asked for. */
    part(row, column) {
      const name = `${row}-${column}`;
      const asked = `${Math.min(row, column)}-${Math.max(row, column)}`;
      if (!tiles.has(asked)) {
        tiles.set(asked, null);
        load(`${key}-${asked}`).then(
          (found) => {
            tiles.set(asked, { levels: bytes(found.data), wide: found.wide });
            changed();
          },
          () => {}, // the reduced picture stays
        );
      }
      if (tiles.get(asked) && !pictures.has(name)) {
        const size = (k) => Math.min(tile, n - k * tile);
        const [top, left] = [row * tile, column * tile];
        pictures.set(
          name,
          paintLevels(size(column), size(row), (i, j) => (top + i === left + j ? null : level(top + i, left + j)), colours),
        );
      }
      return pictures.get(name);
    },
  };
  return matrix;
}

const packed = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
const shadesOf = (colour) => Uint32Array.from({ length: 256 }, (_, one) => packed(colour(one)));

/** One pixel for each number. A feature with itself is gray: that says nothing. */
function paintLevels(wide, high, level, colours) {
  const image = new ImageData(wide, high);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0, k = 0; i < high; i += 1)
    for (let j = 0; j < wide; j += 1, k += 1) pixels[k] = colours[level(i, j)] ?? packed(SELF);
  const canvas = el("canvas", { width: wide, height: high });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** The same of a whole square, from what lies above its diagonal: `own` says whether the diagonal is among it. */
function paintTriangle(n, levels, colours, own) {
  const image = new ImageData(n, n);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0, k = 0; i < n; i += 1) {
    if (!own) pixels[i * n + i] = packed(SELF);
    for (let j = own ? i : i + 1, at = i * n + j, back = j * n + i; j < n; j += 1, at += 1, back += n, k += 1)
      pixels[at] = pixels[back] = colours[levels[k]];
  }
  const canvas = el("canvas", { width: n, height: n });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** Draw a rectangle of pairs, rows a and columns b, each {from, to}, at (x, y). */
function paintPairs(draw, { small, every, tile, part }, { a, b, x, y, cell, ratio, seen }) {
  const put = (picture, scale, from, to) =>
    draw.drawImage(
      picture,
      from.x / scale,
      from.y / scale,
      (to.x - from.x) / scale,
      (to.y - from.y) / scale,
      x + (to.left - b.from) * cell,
      y + (to.top - a.from) * cell,
      (to.x - from.x) * cell,
      (to.y - from.y) * cell,
    );
  put(small, every, { x: b.from, y: a.from }, { x: b.to, y: a.to, left: b.from, top: a.from });
  if (every === 1 || cell < LOOKED * ratio) return;
  const near = {
    a: { from: Math.max(a.from, seen.a[0]), to: Math.min(a.to, seen.a[1] + 1) },
    b: { from: Math.max(b.from, seen.b[0]), to: Math.min(b.to, seen.b[1] + 1) },
  };
  for (let row = Math.floor(near.a.from / tile); row * tile < near.a.to; row += 1)
    for (let column = Math.floor(near.b.from / tile); column * tile < near.b.to; column += 1) {
      const picture = part(row, column);
      if (!picture) continue;
      const [top, left] = [Math.max(near.a.from, row * tile), Math.max(near.b.from, column * tile)];
      const [bottom, right] = [Math.min(near.a.to, (row + 1) * tile), Math.min(near.b.to, (column + 1) * tile)];
      put(
        picture,
        1,
        { x: left - column * tile, y: top - row * tile },
        { x: right - column * tile, y: bottom - row * tile, left, top },
      );
    }
}
