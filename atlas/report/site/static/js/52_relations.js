// The layer \u00d7 layer map of the first page: how alike whole layers are, beside what a rotation leaves.

const RELATIONS = { cka: [2, 3], best_match: [4, 5], mutual_share: [6, 7] };

const NUMBERED = 36; // pixels of a square that has room for its number
const light = ([r, g, b]) => 0.3 * r + 0.6 * g + 0.1 * b > 140;

function relationsSection() {
  const probes = Object.keys(whole.data.relations).filter((probe) => whole.data.relations[probe].length);
  if (!probes.length || whole.layers.length < 2) return null;
  const body = el("div");
  const state = { probe: probes.includes("atlas") ? "atlas" : probes[0], kind: "best_match" };
  const draw = () => body.replaceChildren(
    el("div.tools", {},
      choices("Compare by", Object.keys(RELATIONS).map((kind) => [kind, WORDS[kind][0]]), state.kind, (kind) => { state.kind = kind; draw(); }),
      picker("Probe", probes.map((probe) => [probe, probe]), state.probe, (probe) => { state.probe = probe; draw(); }),
      el("span.quiet.small", {}, "What is ", term(state.kind, WORDS[state.kind][0].toLowerCase()), "? What is a ", term("baseline", "baseline"), "?")),
    relationsTable(whole.data.relations[state.probe], ...RELATIONS[state.kind], state.kind));
  draw();
  return el("section.relations", { "aria-label": "How the layers relate" }, el("h2", {}, "How the layers relate"), body);
}

/** A square table of ordered pairs; each cell's colour is the value, its excess over the baseline in the note below. */
function relationsTable(rows, value, baseline, kind) {
  const held = new Map(rows.map((row) => [`${row[0]},${row[1]}`, row]));
  const numbers = [...new Set(rows.flatMap((row) => [row[0], row[1]]))].sort((a, b) => a - b);
  const values = rows.filter((row) => row[0] !== row[1]).map((row) => row[value]).filter((one) => one !== null);
  const shade = shader(Math.min(0, ...values), Math.max(...values, 0.01));
  const note = el("p.quiet.small.said", { "aria-live": "polite" }, "Point at a square; a click compares the two layers.");
  const tell = (a, b, row) => note.replaceChildren(el("strong", {}, nameOf(a)), " \u2192 ", el("strong", {}, nameOf(b)),
    ` \u00b7 ${WORDS[kind][0]} ${number(row[value])}`,
    kind === "cka" ? "" : ` \u00b7 rotated baseline ${number(row[baseline])}`);
  const size = Math.max(14, Math.min(52, Math.floor(860 / numbers.length)));
  const cells = numbers.flatMap((i) => numbers.map((j) => {
    const [a, b, row] = [whole.layers[i], whole.layers[j], held.get(`${i},${j}`)];
    if (!row || row[value] === null) return el("span.pair.none");
    const said = `${nameOf(a)} and ${nameOf(b)}: ${number(row[value])}`;
    return el(i === j ? "span.pair.self" : "a.pair", {
      href: i === j ? null : routes.compare(nameOf(a), nameOf(b)), "aria-label": said, tabindex: "-1",
      style: { background: shade(row[value]), color: light(shade.rgb(row[value])) ? "#1d1c1a" : "#f4f2ee" }, onpointerenter: () => tell(a, b, row), onfocus: () => tell(a, b, row),
    }, size >= NUMBERED && i !== j ? number(row[value]) : null);
  }));
  const heads = () => numbers.map((i) => el("a.head", { href: routes.layer(whole.layers[i]), title: nameOf(whole.layers[i]), style: { "--model": colourOfModel(whole.layers[i].model) } }, whole.layers[i].name));
  return el("div.relationwrap", {},
    el("div.relationtable", { style: { "--n": numbers.length, "--size": `${size}px` } }, el("div.heads", {}, heads()), el("div.pairs", {}, cells), el("div.heads.below", {}, heads())),
    legend(shade, kind === "cka" ? "CKA" : WORDS[kind][0]), note);
}
