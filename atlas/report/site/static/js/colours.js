// Colours for numbers. The ramps ONE_SIDED, SIGNED and DEPTH, SELF, and OPPOSED, come from report/colours.py as the site is written.

/** The colour at t in [0, 1] of a ramp: [r, g, b]. */
function along(ramp, t) {
  const at = Math.max(0, Math.min(1, t)) * (ramp.length - 1);
  const low = Math.min(ramp.length - 2, Math.floor(at));
  return ramp[low].map((from, k) => Math.round(from + (ramp[low + 1][k] - from) * (at - low)));
}
const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

/** Values to colours; of two sides, even around zero, where negative ones matter. */
function shader(low, high) {
  const two = high > 0 && -low > OPPOSED * high;
  const [from, to] = two ? [-Math.max(-low, high), Math.max(-low, high)] : [low, high];
  const ramp = two ? SIGNED : ONE_SIDED;
  const shade = (value) => css(along(ramp, (value - from) / (to - from || 1)));
  return Object.assign(shade, { ramp, low: from, high: to, rgb: (value) => along(ramp, (value - from) / (to - from || 1)) });
}

/** A bar that says which colour is which number. ends: of all values; those beyond the bar have the colour of its end, and that is said. */
function legend(shade, text, ends = [shade.low, shade.high]) {
  const [below, above] = [ends[0] < shade.low, ends[1] > shade.high];
  return el(
    "div.legend.small.quiet",
    `${below ? "\u2264 " : ""}${number(shade.low)}`,
    el("span.ramp", { style: { background: `linear-gradient(90deg, ${shade.ramp.map(css).join(", ")})` } }),
    `${above ? "\u2265 " : ""}${number(shade.high)}`,
    el("span", text),
    (below || above) && el("span", `clipped there: values go from ${number(ends[0])} to ${number(ends[1])}`),
  );
}

/** Of layers from first to last; darker on light ground, so that a dot stands out 3 to 1 on either. */
function colourOfLayer(layer) {
  const { layers } = layer.model;
  const colour = along(DEPTH, layers.length > 1 ? layers.indexOf(layer) / (layers.length - 1) : 0);
  return css(document.documentElement.dataset.theme === "dark" ? colour : colour.map((part) => Math.round(0.68 * part)));
}
