// The pictures that drive a feature most, beside its image: where each does, and what the strongest place sees.
// HEAT, a ramp, and STRONGEST, its opacity at the top, come from report/colours.py and report/examples.py.

function examplesSection(known) {
  const probes = Object.entries(known.examples).filter(([, shown]) => shown.length);
  return probes.map(([probe, shown]) => {
    const [first, ...others] = shown.map((one, k) => ({ ...one, said: saidOf(one, k + 1) }));
    return el(
      "section.driving",
      { "aria-label": `Pictures of probe ${probe} that drive it` },
      el("h2", term("examples", "Pictures that drive it")),
      el("p.quiet.small", [`of ${probeWords(probe)}`, whole.data.pictures[probe]].filter(Boolean).join(" \u00b7 ")),
      el(
        "div.examples",
        el(
          "figure.first",
          el(
            "div.panels",
            panel(first, { box: true }),
            first.heat && panel(first, { heat: true, said: "its heat map" }),
            cropOf(first),
          ),
          el("figcaption.caption", first.said),
        ),
        others.map((one) => el("figure", panel(one, { heat: true, box: true }), cropOf(one), caption(one))),
      ),
    );
  });
}

/** What is seen, for somebody who does not see it. */
const saidOf = ({ name, mean, place }, rank) =>
  [
    name,
    rank === 1 ? "most driving" : `${ordinal(rank)} most driving`,
    `activation ${mean === null ? number(mean) : Number(mean.toPrecision(3))}`,
    ...(place ? [`strongest ${place}`] : []),
  ].join(", ");

const caption = (example) =>
  el("figcaption.caption", { title: example.said }, el("span.name", cutName(example.name, NAME)), el("span.quiet", number(example.mean)));

/** The picture, under its heat map and the frame of its receptive field. said: what it is, where another panel shows the same. */
function panel(example, { heat, box, said }) {
  const [x0, y0, x1, y1] = example.box || [];
  const percent = (part) => `${100 * part}%`;
  const place = { left: percent(x0), top: percent(y0), width: percent(x1 - x0), height: percent(y1 - y0) };
  return el(
    `div.panel${heat && example.heat ? ".heated" : ""}`,
    el("img", { src: placeOf(example.image), alt: said ? `${example.name}, ${said}` : example.said, loading: "lazy" }),
    heat && example.heat && heatMap(...example.heat),
    box && example.box && el("span.field", { style: place }),
  );
}

const NAME = 13; // letters of a picture's name that have room below it
const HEAT_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"; // a level each, from none to the highest

/** One pixel for each position of the map, which the browser enlarges. */
function heatMap(wide, data) {
  const levels = Array.from(data, (letter) => Math.round((255 * HEAT_LETTERS.indexOf(letter)) / (HEAT_LETTERS.length - 1)));
  const canvas = el("canvas", { width: wide, height: levels.length / wide, "aria-hidden": "true" });
  const drawn = new ImageData(wide, levels.length / wide);
  levels.forEach((level, k) => {
    drawn.data.set([...along(HEAT, level / 255), STRONGEST * level], 4 * k);
  });
  canvas.getContext("2d").putImageData(drawn, 0, 0);
  return canvas;
}

/** The receptive field alone, as large as its panel; none where it is the whole picture. */
function cropOf(example) {
  if (!example.box) return null;
  const [x0, y0, x1, y1] = example.box;
  const [wide, high] = [x1 - x0, y1 - y0];
  const side = Math.max(wide, high);
  const at = (low, length) => `${length < 1 ? (100 * low) / (1 - length) : 0}%`;
  const style = {
    width: `${(100 * wide) / side}%`,
    height: `${(100 * high) / side}%`,
    "background-image": `url("${placeOf(example.image)}")`,
    "background-size": `${100 / wide}% ${100 / high}%`,
    "background-position": `${at(x0, wide)} ${at(y0, high)}`,
  };
  return el(
    "div.panel.crop",
    el("span", { role: "img", "aria-label": `${example.name}, the receptive field of the strongest place`, style }),
  );
}
