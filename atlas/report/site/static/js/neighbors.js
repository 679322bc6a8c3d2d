// The relatives of a feature: in its layer, elsewhere in its network, in other networks; and its opposites.

const SCOPES = [
  ["layer", "In its layer"],
  ["model", "Elsewhere in its network"],
  ["other", "In other networks"],
]; // elsewhere: of its nearest in all of the network, those in other layers
const SHOWN = 9; // neighbors at first; the others after a click

function neighborsSection(layer, channel, known, query) {
  const keys = Object.keys(known.neighbors).map((key) => key.split("/"));
  if (!keys.length) return el("section", el("h2", "Relatives"), whyAlone(layer, channel));
  const probes = [...new Set(keys.map(([probe]) => probe))];
  const probe = probes.includes(query.probe) ? query.probe : probes[0];
  const change = (changes) => {
    changeQuery(changes);
    render();
  };
  const measures = [...new Set(keys.filter(([one]) => one === probe).map(([, , measure]) => measure))];
  const wanted = measures.includes(query.measure) ? query.measure : undefined;
  return el(
    "section.relatives",
    el("h2", "Relatives"),
    el(
      "div.tools",
      choices("Measure", [["", "default"], ...measures.map((name) => [name, name])], wanted || "", (value) =>
        change({ measure: value }),
      ),
      picker(
        "Probe",
        probes.map((name) => [name, name]),
        probe,
        (value) => change({ probe: value }),
      ),
      el(
        "span.quiet.small",
        "What is ",
        term("sym", "sym"),
        ", ",
        term("profile", "profile"),
        ", a ",
        term("baseline", "baseline"),
        ", ",
        term("mutual", "mutual (\u21c4)"),
        ", ",
        term("reverse", "reverse rank (\u21a9)"),
        "?",
      ),
    ),
    SCOPES.map(([scope, title]) => scopeRow(layer, channel, known, { scope, title, probe, wanted })),
  );
}

/** One scope: its nearest and its most opposite, by the measure asked for, or else the one that is usual there. */
function scopeRow(layer, channel, known, { scope, title, probe, wanted }) {
  const usual = scope === "layer" && probe === "atlas" ? "sym" : "profile";
  const measure = wanted || usual;
  const rows = known.neighbors[`${probe}/${scope}/${measure}`];
  if (!rows?.length) return null;
  const read = rows
    .map(([sign, rank, l, other, score, baseline, reverse, mutual]) => {
      const [model, name] = known.layers[l];
      return { sign, rank, layer: layerOf(model, name), channel: other, score, baseline, reverse, mutual };
    })
    .filter((one) => one.layer?.place.has(one.channel) && !(scope === "model" && one.layer === layer));
  const most = Math.max(...read.map((one) => Math.abs(one.score)), measure === "profile" ? 1 : 0);
  const near = read.filter((one) => one.sign > 0);
  const far = read.filter((one) => one.sign < 0);
  if (!near.length && !far.length)
    return scope === "model"
      ? el("div.scope", el("h3", title), el("p.quiet.small", "Its nearest features all stand in its own layer."))
      : null;
  const shell = [
    "similar",
    shellWord(addressOf(layer, channel)),
    "--scope",
    scope,
    "--measure",
    measure,
    ...(probe === "atlas" ? [] : ["--probe", probe]),
  ];
  return el(
    "div.scope",
    el(
      "h3",
      title,
      el("span.measure", { "data-measure": measure }, term(measure, measure)),
      copyable(command(...shell), "Copy command", command(...shell)),
    ),
    el(
      "div.neighborlist",
      shortened(near, (one) => neighborCard({ ...one, most }, layer, channel)),
    ),
    far.length > 0 &&
      el(
        "div.opposites",
        el("h4", term("opposite", "Opposites")),
        el(
          "div.neighborlist",
          far.map((one) => neighborCard({ ...one, most }, layer, channel)),
        ),
      ),
  );
}

/** The first few, and a button for the others. */
function shortened(all, draw, { shown = SHOWN, kind = "run" } = {}) {
  const box = el(`div.${kind}`, all.slice(0, shown).map(draw));
  if (all.length > shown) {
    const rest = () => {
      const cards = all.slice(shown).map(draw);
      more.replaceWith(...cards);
      (cards[0].querySelector("a") || cards[0]).focus({ preventScroll: true });
    };
    const more = el("button.more", { type: "button", onclick: rest }, `${all.length - shown} more`);
    box.append(more);
  }
  return box;
}

/** A feature's name below its image, as far as it is another one than that of `from`. */
const whereabouts = (layer, channel, from, word) =>
  el(
    "span.caption",
    word && el("span.quiet", word),
    layer.model !== from.model && el("span.place", el("span.dot"), layer.model.name),
    layer !== from && el("span.place", layer.name),
    el("strong", String(channel)),
    named(layer, channel),
  );

/** A neighbor: its image, its score as a bar with the baseline's tick, the mutual mark, and its reverse rank. */
function neighborCard({ layer, channel, sign, score, baseline, reverse, mutual, most }, from, fromChannel, word) {
  return el(
    "div.neighbor",
    { style: { "--model": colourOfModel(layer.model) } },
    card(layer, channel, { lines: [whereabouts(layer, channel, from, word)] }),
    scoreBar(score, baseline, most, sign),
    el(
      "span.marks",
      mutual ? el("abbr", { title: "mutual: each stands in the other\u2019s list" }, "\u21c4 ") : null,
      reverse !== undefined &&
        el(
          "abbr.quiet",
          {
            title: reverse
              ? `reverse rank ${reverse}: its place in the neighbor\u2019s own list`
              : "not in the neighbor\u2019s own list",
          },
          reverse ? `\u21a9\u00a0${reverse}` : "\u21a9\u00a0\u2013",
        ),
      el(
        "a.quiet",
        {
          href: routes.compare(addressOf(from, fromChannel), addressOf(layer, channel)),
          title: "Compare the two",
          "aria-label": `Compare with ${addressOf(layer, channel)}`,
        },
        "vs",
      ),
    ),
  );
}

/** How much of the largest score; the tick is the rotated baseline. Of opposites it is how far below zero. */
function scoreBar(score, baseline, most, sign = 1) {
  const known = baseline !== null && baseline !== undefined;
  const beyond = !known || sign * (score - baseline) > 0;
  const width = (value) => `${Math.min(100, (100 * Math.max(0, sign * value)) / (most || 1))}%`;
  const said = `score ${number(score)}${known ? `, baseline ${number(baseline)}${beyond ? "" : ", not beyond it"}` : ""}`;
  return el(
    `span.score${beyond ? "" : ".within"}`,
    { title: said },
    el("span.number", number(score)),
    el(
      `span.bar${sign < 0 ? ".below" : ""}`,
      { role: "img", "aria-label": said },
      el("span.fill", { style: { width: width(score) } }),
      known && el("span.tick", { style: { left: width(baseline) } }),
    ),
  );
}

function whyAlone(layer, channel) {
  if (!whole.data.probes.length) return notCompared();
  if (!layer.measures.length) return notCompared();
  const why = {
    dead: "It is dead: nothing drives it, so nothing is like it.",
    ok: "It was not among the features compared, or answers to all pictures alike.",
  };
  return el("p.empty", why[stateOf(layer, channel)] || "It has no image to be compared by.");
}
