// The relatives of a feature: in its layer, elsewhere in its network, in other networks; and its opposites.

const SCOPES = [["layer", "In its layer"], ["model", "Elsewhere in its network"], ["other", "In other networks"]];
const SHOWN = 10; // neighbors at first; the others after a click

function neighborsSection(layer, channel, known, query) {
  const keys = Object.keys(known.neighbors).map((key) => key.split("/"));
  if (!keys.length) return el("section", {}, el("h2", {}, "Relatives"), el("p.empty", {}, whyAlone(layer, channel)));
  const probes = [...new Set(keys.map(([probe]) => probe))];
  const probe = probes.includes(query.probe) ? query.probe : probes[0];
  const change = (changes) => {
    changeQuery(changes);
    render();
  };
  const measures = [...new Set(keys.filter(([one]) => one === probe).map(([, , measure]) => measure))];
  return el("section.relatives", {}, el("h2", {}, "Relatives"),
    el("div.tools", {},
      choices("Measure", [["", "default"], ...measures.map((name) => [name, name])], query.measure || "", (value) => change({ measure: value })),
      picker("Probe", probes.map((name) => [name, name]), probe, (value) => change({ probe: value })),
      el("span.quiet.small", {}, "What is ", term("sym", "sym"), ", ", term("profile", "profile"), ", a ", term("baseline", "baseline"), ", ", term("mutual", "mutual"), ", ", term("reverse", "reverse rank"), "?")),
    SCOPES.map(([scope, title]) => scopeRow(layer, channel, known, { scope, title, probe, wanted: query.measure })));
}

/** One scope: its nearest and its most opposite, by the measure asked for, or else the one that is usual there. */
function scopeRow(layer, channel, known, { scope, title, probe, wanted }) {
  const usual = scope === "layer" && probe === "atlas" ? "sym" : "profile";
  const measure = wanted || usual;
  const rows = known.neighbors[`${probe}/${scope}/${measure}`];
  if (!rows?.length) return null;
  const read = rows.map(([sign, rank, l, other, score, baseline, reverse, mutual]) => {
    const [model, name] = known.layers[l];
    return { sign, rank, layer: layerOf(model, name), channel: other, score, baseline, reverse, mutual };
  }).filter((one) => one.layer?.place.has(one.channel) && !(scope === "model" && one.layer === layer));
  const most = Math.max(...read.map((one) => Math.abs(one.score)), measure === "profile" ? 1 : 0);
  const near = read.filter((one) => one.sign > 0);
  const far = read.filter((one) => one.sign < 0);
  if (!near.length && !far.length) return scope === "model" ? el("div.scope", {}, el("h3", {}, title), el("p.quiet.small", {}, "Its nearest features all stand in its own layer.")) : null;
  const shell = ["similar", shellWord(addressOf(layer, channel)), "--scope", scope, "--measure", measure, ...(probe === "atlas" ? [] : ["--probe", probe])];
  return el("div.scope", {},
    el("h3", {}, title, el("span.measure", { "data-measure": measure }, term(measure, measure)), copyable(command(...shell), "Copy command", command(...shell))),
    el("div.neighborlist", {}, shortened(near, (one) => neighborCard({ ...one, most }, layer, channel))),
    far.length > 0 && el("div.opposites", {}, el("h4", {}, term("opposite", "Opposites")), el("div.neighborlist", {}, far.map((one) => neighborCard({ ...one, most }, layer, channel)))));
}

/** The first few, and a button for the others. */
function shortened(all, draw) {
  const box = el("div.run", {}, all.slice(0, SHOWN).map(draw));
  if (all.length > SHOWN) {
    const more = el("button.more", { type: "button", onclick: () => more.replaceWith(...all.slice(SHOWN).map(draw)) }, `${all.length - SHOWN} more`);
    box.append(more);
  }
  return box;
}

/** A neighbor: its image, its score as a bar with the baseline's tick, the mutual mark, and its reverse rank. */
function neighborCard({ layer, channel, score, baseline, reverse, mutual, most }, from, fromChannel, word) {
  const away = layer !== from;
  return el("div.neighbor", { style: { "--model": colourOfModel(layer.model) } },
    card(layer, channel, { lines: [
      el("span.caption", {}, word ? el("span.quiet", {}, word) : null,
        layer.model !== from.model && el("span.place", {}, el("span.dot"), layer.model.name), away && el("span.place", {}, layer.name), el("strong", {}, String(channel)))] }),
    scoreBar(score, baseline, most),
    el("span.marks", {},
      mutual ? el("abbr", { title: "mutual: each stands in the other\u2019s list" }, "\u21c4 ") : null,
      reverse !== undefined && el("abbr.quiet", { title: reverse ? `reverse rank ${reverse}: its place in the neighbor\u2019s own list` : "not in the neighbor\u2019s own list" }, reverse ? `\u21a9\u00a0${reverse}` : "\u21a9\u00a0\u2013"),
      el("a.quiet", { href: routes.compare(addressOf(from, fromChannel), addressOf(layer, channel)), title: "Compare the two", "aria-label": `Compare with ${addressOf(layer, channel)}` }, "vs")));
}

/** How much of the largest score; the tick is the rotated baseline. */
function scoreBar(score, baseline, most) {
  const width = (value) => `${Math.min(100, (100 * Math.abs(value)) / (most || 1))}%`;
  const said = `score ${number(score)}${baseline === null || baseline === undefined ? "" : `, baseline ${number(baseline)}`}`;
  return el("span.score", { title: said },
    el("span.number", {}, number(score)),
    el(`span.bar${score < 0 ? ".below" : ""}`, { role: "img", "aria-label": said }, el("span.fill", { style: { width: width(score) } }),
      baseline !== null && baseline !== undefined && el("span.tick", { style: { left: width(baseline) } })));
}

function whyAlone(layer, channel) {
  if (!Object.keys(whole.data.probes).length) return ["Features were not compared yet: ", copyable(`atlas similarity out=${quotedPath()}`), " does it."];
  const grid = arrived.get(`layers/${layer.path}/layer`);
  const states = grid.sets.map((set) => STATES[set.state[layer.place.get(channel)]]);
  if (states.includes("dead")) return "It is dead: nothing drives it, so nothing is like it.";
  return "It was not among the features compared, or answers to all pictures alike.";
}
