// #/ : every model and layer with a strip of samples, and how the layers relate.

function homePage() {
  const { data } = whole;
  const layers = whole.layers.length;
  const features = data.models.reduce((sum, model) => sum + model.layers.reduce((all, layer) => all + layer.list.length, 0), 0);
  return el(
    "div.page.home",
    el(
      "header.title",
      el("h1", data.name),
      el(
        "p.lead",
        `${count(features, "feature")} of ${count(layers, "layer")} in ${count(data.models.length, "network")}. `,
        el(
          "span.quiet",
          count(data.state.ok + data.state.dead, "image"),
          data.updated && `, the newest of ${moment(data.updated)}`,
        ),
      ),
      el(
        "p.intro",
        "Each picture shows what one ",
        term("feature", "feature"),
        " of a network answers to. Open a layer to see all of its features; open a feature to see its relatives.",
      ),
    ),
    notes(data.notes),
    data.models.map(modelSection),
    relationsSection(),
    foot([
      ["What is done, failed and left", `atlas status ${shellWord(whole.data.root)}`],
      ["Every row of the index", command("sql", `"select * from features limit 5"`)],
    ]),
  );
}

/** What is missing: of each note, texts and commands in turn. */
function notes(said) {
  if (!said.length) return null;
  return el(
    "aside.notes",
    { "aria-label": "What is missing" },
    said.map((pieces) =>
      el(
        "p",
        pieces.map((piece, k) => (k % 2 ? copyable(piece) : piece)),
      ),
    ),
  );
}

function modelSection(model) {
  const parts = [
    model.recipes.length ? `recipe ${model.recipes.join(", ")}` : null,
    model.weights.length ? `weights ${model.weights[0]}` : null,
  ]
    .filter(Boolean)
    .join(" \u00b7 ");
  return el(
    "section.model",
    { "aria-label": model.name, style: { "--model": colourOfModel(model) } },
    el(
      "header",
      el("h2", el("span.dot"), model.name),
      el("p.quiet.small", { title: model.weights.join("\n") }, parts),
      el("nav.links", model.map && el("a", { href: routes.map(model) }, "Map of its features")),
    ),
    el("div.layers", model.layers.map(layerRow)),
  );
}

function layerRow(layer) {
  const samples = layer.samples.map((channel, k) => {
    const link = el(
      "a",
      { href: routes.feature(layer, channel), "aria-label": addressOf(layer, channel), tabindex: "-1" },
      sampleThumb(layer, k),
    );
    peeking(link, layer, channel);
    return link;
  });
  return el(
    "div.layerrow",
    el(
      "a.layername",
      { href: routes.layer(layer) },
      el("strong", layer.name),
      el("span.quiet.small", count(layer.list.length, "channel")),
    ),
    el(
      "div.strip",
      samples.length ? samples : el("span.quiet.small", layer.features.left ? "no image yet" : "no image that shows anything"),
    ),
    el("div.counts", stateBar(layer.features, layer.list.length)),
  );
}

/** Samples have a sheet of their own, one row: the first page loads little. */
function sampleThumb(layer, place) {
  const cells = layer.samples.length;
  return el("span.thumb", {
    style: {
      "background-image": `url("sprites/${url(`${layer.path}/samples`)}.webp")`,
      "background-size": `${100 * cells}% 100%`,
      "background-position": `${cells > 1 ? (100 * place) / (cells - 1) : 0}% 0`,
    },
  });
}

/** How many channels are dead, failed, left, as a bar and in words; a few words where all are well. */
function stateBar(features, total) {
  const kinds = ["ok", "dead", "failed", "left"].filter((kind) => features[kind]);
  if (kinds.length === 1 && features.ok) return el("span.small.quiet", "all ok");
  const words = kinds.map((kind) => [
    kind === "ok"
      ? `${features.ok.toLocaleString("en")} ok`
      : term(kind, `${features[kind].toLocaleString("en")} ${STATE_WORDS[kind]}`),
    " ",
  ]);
  return [
    el(
      "span.statebar",
      { role: "img", "aria-label": kinds.map((kind) => `${features[kind]} ${kind}`).join(", ") },
      kinds.map((kind) => el(`span.${kind}`, { style: { flex: features[kind] / total } })),
    ),
    el("span.small.quiet.states", words),
  ];
}

// copyable command lines

/** A word as a shell takes it: in the quotes that leave it legible. */
function shellWord(word) {
  if (/^[\w./@:+-]+$/.test(word)) return word;
  return /'/.test(word) && !/["$`\\!]/.test(word) ? `"${word}"` : `'${word.replace(/'/g, "'\\''")}'`;
}
const command = (name, ...words) => ["atlas", name, ...words, "--atlas", shellWord(whole.data.root)].join(" ");
const sqlText = (text) => text.replace(/'/g, "''");
const sql = (text) => command("sql", shellWord(text));

/** Why there is nothing to show of how features relate, and what changes that. */
const notCompared = () => el("p.empty", "Features were not compared yet: ", copyable(whole.data.compare), " does it.");

/** The end of every page: its link, and the commands that tell the same. */
function foot(commands) {
  return el(
    "footer.foot",
    el(
      "div",
      el("span.label", "Link"),
      copyable(() => location.href, "Copy link to this page"),
    ),
    commands.map(([what, text]) => el("div", el("span.label", what), copyable(text))),
  );
}
