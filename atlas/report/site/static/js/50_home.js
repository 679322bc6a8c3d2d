// #/ : every model and layer with a strip of samples, and how the layers relate.

function homePage() {
  const { data } = whole;
  const layers = whole.layers.length;
  const features = data.models.reduce((sum, model) => sum + model.layers.reduce((all, layer) => all + layer.list.length, 0), 0);
  return el("div.page.home", {},
    el("header.title", {},
      el("h1", {}, data.name),
      el("p.lead", {}, `${count(features, "feature")} of ${count(layers, "layer")} in ${count(data.models.length, "network")}. `,
        el("span.quiet", {}, `${count(data.state.ok + data.state.dead, "image")}, last changed on ${moment(data.updated)}`)),
      el("p.intro", {}, "Each picture shows what one ", term("feature", "feature"),
        " of a network answers to. Open a layer to see all of its features; open a feature to see its relatives.")),
    notes(data.notes),
    data.models.map(modelSection),
    relationsSection(),
    foot([["What is done, failed and left", `atlas status ${quotedPath()}`], ["Every row of the index", command("sql", `"select * from features limit 5"`)]]));
}

/** Sentences that say what is missing; what stands in backticks can be copied. */
function notes(sentences) {
  if (!sentences.length) return null;
  return el("aside.notes", { "aria-label": "What is missing" }, sentences.map((sentence) =>
    el("p", {}, sentence.split("`").map((piece, k) => (k % 2 ? copyable(piece) : piece)))));
}

function modelSection(model) {
  const parts = [
    model.recipes.length ? `recipe ${model.recipes.join(", ")}` : null,
    model.weights.length ? `weights ${model.weights[0]}` : null,
  ].filter(Boolean).join(" \u00b7 ");
  return el("section.model", { "aria-label": model.name, style: { "--model": colourOfModel(model) } },
    el("header", {},
      el("h2", {}, el("span.dot"), model.name),
      el("p.quiet.small", { title: model.weights.join("\n") }, parts),
      el("nav.links", {}, model.map && el("a", { href: routes.map(model) }, "Map of its features"))),
    el("div.layers", {}, model.layers.map(layerRow)));
}

function layerRow(layer) {
  const samples = layer.samples.map((channel, k) => {
    const link = el("a", { href: routes.feature(layer, channel), "aria-label": addressOf(layer, channel), tabindex: "-1" }, sampleThumb(layer, k));
    peeking(link, layer, channel);
    return link;
  });
  return el("div.layerrow", {},
    el("a.layername", { href: routes.layer(layer) }, el("strong", {}, layer.name),
      el("span.quiet.small", {}, count(layer.list.length, "channel"))),
    el("div.strip", {}, samples.length ? samples : el("span.quiet.small", {}, layer.counts.left ? "no image yet" : "no image that shows anything")),
    el("div.counts", {}, stateBar(layer.features, layer.list.length)));
}

/** Samples have a sheet of their own, one row: the first page loads little. */
function sampleThumb(layer, place) {
  const cells = layer.samples.length;
  return el("span.thumb", { style: {
    "background-image": `url("sprites/${url(`${layer.path}/samples`)}.webp")`,
    "background-size": `${100 * cells}% 100%`,
    "background-position": `${cells > 1 ? (100 * place) / (cells - 1) : 0}% 0`,
  } });
}

/** How many channels are ok, dead, failed, left: a bar, and words for what is not ok. */
function stateBar(features, total) {
  const kinds = ["ok", "dead", "failed", "left"].filter((kind) => features[kind]);
  const words = kinds.filter((kind) => kind !== "ok").map((kind) => [term(kind, `${features[kind].toLocaleString("en")} ${STATE_WORDS[kind]}`), " "]);
  return [
    el("span.statebar", { role: "img", "aria-label": kinds.map((kind) => `${features[kind]} ${kind}`).join(", ") },
      kinds.map((kind) => el(`span.${kind}`, { style: { flex: features[kind] / total } }))),
    el("span.small.quiet", {}, words.length ? words : `${features.ok.toLocaleString("en")} ok`),
  ];
}

// copyable command lines

const quotedPath = () => (/^[\w./@:+-]+$/.test(whole.data.root) ? whole.data.root : `'${whole.data.root.replace(/'/g, "'\\''")}'`);
const shellWord = (word) => (/^[\w./@:+-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`);
const command = (name, ...words) => ["atlas", name, ...words, "--atlas", quotedPath()].join(" ");
const sqlText = (text) => text.replace(/'/g, "''");
const sql = (text) => command("sql", shellWord(text));

/** The end of every page: its link, and the commands that tell the same. */
function foot(commands) {
  return el("footer.foot", {},
    el("div", {}, el("span.label", {}, "Link"), copyable(() => location.href, "Copy link to this page")),
    commands.map(([what, text]) => el("div", {}, el("span.label", {}, what), copyable(text))));
}
