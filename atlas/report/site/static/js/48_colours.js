// Colours for numbers: ramps of even lightness, the same as on the drawn maps.

const ONE_SIDED = [
  [20, 24, 49],
  [37, 33, 80],
  [60, 40, 111],
  [86, 48, 137],
  [131, 48, 140],
  [177, 47, 125],
  [211, 63, 96],
  [230, 91, 86],
  [246, 121, 79],
  [253, 153, 89],
  [253, 186, 117],
  [252, 216, 154],
  [254, 242, 197],
];
const SIGNED = [
  [200, 249, 255],
  [140, 213, 235],
  [86, 173, 220],
  [63, 131, 195],
  [54, 91, 156],
  [47, 59, 92],
  [31, 31, 33],
  [91, 44, 47],
  [154, 55, 49],
  [199, 89, 45],
  [227, 138, 57],
  [237, 191, 122],
  [251, 239, 194],
];
const DEPTH = [
  [111, 182, 255],
  [24, 198, 226],
  [52, 204, 174],
  [132, 197, 116],
  [193, 180, 70],
  [233, 159, 79],
  [249, 143, 129],
  [239, 141, 186],
  [208, 151, 234],
];

/** The colour at t in [0, 1] of a ramp: [r, g, b]. */
function along(ramp, t) {
  const at = Math.max(0, Math.min(1, t)) * (ramp.length - 1);
  const low = Math.min(ramp.length - 2, Math.floor(at));
  return ramp[low].map((from, k) => Math.round(from + (ramp[low + 1][k] - from) * (at - low)));
}
const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

/** Values to colours; of two sides, even around zero, where negative ones matter. */
function shader(low, high) {
  const two = low < 0 && -low > 0.4 * high;
  const [from, to] = two ? [-Math.max(-low, high), Math.max(-low, high)] : [low, high];
  const ramp = two ? SIGNED : ONE_SIDED;
  const shade = (value) => css(along(ramp, (value - from) / (to - from || 1)));
  return Object.assign(shade, { ramp, low: from, high: to, rgb: (value) => along(ramp, (value - from) / (to - from || 1)) });
}

/** A bar that says which colour is which number. */
function legend(shade, text) {
  return el(
    "div.legend.small.quiet",
    {},
    number(shade.low),
    el("span.ramp", { style: { background: `linear-gradient(90deg, ${shade.ramp.map(css).join(", ")})` } }),
    number(shade.high),
    el("span", {}, text),
  );
}

const colourOfLayer = (layer) =>
  css(along(DEPTH, layer.model.layers.length > 1 ? layer.model.layers.indexOf(layer) / (layer.model.layers.length - 1) : 0));
