// Thumbnails on a canvas: cut from their sheets, small ones from a sheet of half the size, and those that still lack their sheet asked for.

const MOST_SHARP = 2000; // thumbnails at their full size kept at hand

/** The canvas of a map, as large as it stands in the window: its context. */
function canvasOf({ canvas, width, height, ratio }) {
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  return canvas.getContext("2d");
}

/** put(point, x, y, wide, high): false while its sheet is not there; done() asks for what was missed, most wanted first. */
function thumbPainter(plane, draw) {
  const { points, sheets } = plane;
  const [missing, blurred] = [new Map(), new Map()]; // sheet → how many wait for it; sheet → points that it holds
  return {
    put(k, x, y, wide, high) {
      const layer = points.layers[points.layer[k]];
      const sprite = (points.sprites[k] ||= spriteOf(layer, points.channel[k], standing(layer, points.channel[k])));
      const sheet = sheets.get(sprite.source);
      if (!sheet) {
        if (sheet === undefined) missing.set(sprite.source, (missing.get(sprite.source) || 0) + 1);
        return false;
      }
      const large = wide >= 0.55 * sheet.cell;
      const sharp = large && plane.sharp.get(k);
      if (large && !sharp)
        blurred
          .set(sheet, blurred.get(sheet) || [])
          .get(sheet)
          .push(k);
      const cell = sharp ? sheet.cell : sheet.cell / 2;
      const [from, column, row] = sharp ? [sharp, 0, 0] : [sheet.half, sprite.column, sprite.row];
      draw.drawImage(from, column * cell, row * cell, cell, cell, x, y, wide, high);
      return true;
    },
    done() {
      sharpen(plane, [...blurred].sort((a, b) => b[1].length - a[1].length)[0]);
      sheets.want([...missing].sort((a, b) => b[1] - a[1]).map(([source]) => source));
    },
  };
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
