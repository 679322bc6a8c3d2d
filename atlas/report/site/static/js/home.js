// #/ : what the atlas holds: of every network its map as a picture, and its layers, each with a strip of samples.

function homePage() {
  const { data } = whole;
  const features = whole.layers.reduce((sum, layer) => sum + layer.list.length, 0);
  return html`<div.page.home>
    <header.title>
      <h1>${data.name}</h1>
      <p.lead>${`${count(features, "feature")} of ${count(whole.layers.length, "layer")} in ${count(data.models.length, "network")}. `}
        <span.quiet>${count(data.state.ok + data.state.dead, "image")}${data.updated && `, the newest of ${moment(data.updated)}`}</span></p>
      ${tallies()}
      <p.intro>Each picture shows what one ${term("feature", "feature")} of a network answers to. Open a layer to see all of its features; open a feature to see its relatives.</p>
    </header>
    ${notes(data.notes)}
    ${data.models.map(modelSection)}
    <section.lists><h2>Lists</h2>${closestWords()}${listTable()}</section>
    ${relationsSection()}
    ${foot([
      ["What is done, failed and left", `atlas status ${shellWord(data.root)}`],
      ["Every row of the index", command("sql", `"select * from features limit 5"`)],
    ])}
  </div>`;
}

/** How many features are dead and failed, also where none is: silence would not say so. */
function tallies() {
  const { dead, failed, left, loses } = totals();
  const tally = (n, words, query) => {
    const said = `${n.toLocaleString("en")} ${words}`;
    return n ? html`<a.tally href=${routes.all(query)}>${said}</a>` : html`<span>${said}</span>`;
  };
  return html`<p.small.quiet.states>${[
    tally(dead, "dead", { state: "dead" }),
    tally(failed, "failed", { state: "failed" }),
    left > 0 && tally(left, "not made yet", { state: "left" }),
    whole.data.probes.includes("atlas") &&
      tally(loses, loses === 1 ? "image loses" : "images lose", { own: "loses", order: "rank", turned: "1" }),
  ]}</p>`;
}

/** Which two features of all are most alike, as the list of closest pairs begins. */
function closestWords() {
  const { closest } = whole.data;
  if (!closest) return null;
  const [a, b] = closest.sides.map(([model, layer, channel]) => ({ layer: layerOf(model, layer), channel }));
  if (![a, b].every(({ layer, channel }) => layer?.place.has(channel))) return null;
  const networks = whole.data.models.length > 1 ? [...new Set([a, b].map(({ layer }) => layer.model.name))].join(" and ") : "";
  const link = ({ layer, channel }) => html`<strong>${featureLink(layer, channel)}</strong>`;
  return html`<p.closest>The two most alike of all, beyond chance: ${link(a)} and ${link(b)}${networks && ` of ${networks}`}.
    They ${term("profile", MEASURE_WORDS.profile)}: <a href=${routes.compare(addressOf(a.layer, a.channel), addressOf(b.layer, b.channel), trailAt("lists/pairs", 0))}>${number(closest.score)}</a>, where ${term("baseline", "chance")} gives ${number(closest.baseline)}.</p>`;
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

function modelSection(model, k) {
  const made = [
    model.recipes.length && `recipe ${model.recipes.join(", ")}`,
    model.weights.length && `weights ${model.weights.join(", ")}`,
  ].filter(Boolean);
  return html`<section.model aria-label=${model.name} style=${{ "--model": colourOfModel(model) }}>
    <header>
      <h2><span.dot></span>${model.name}</h2>
      <nav.links aria-label=${`Of ${model.name}`}>${hasMap(model) && html`<a href=${routes.map(model)}>Map of its features</a>`}<a href=${routes.all({ in: model.name })}>All on one wall</a></nav>
    </header>
    ${hasMap(model) && html`<a.banner href=${routes.map(model)} aria-label=${`Map of the features of ${model.name}`}><img src=${`bands/${url(model.path)}.webp`} alt="" loading=${k ? "lazy" : "eager"} decoding="async" /></a>`}
    <div.layers>${model.layers.map(layerRow)}</div>
    ${made.length > 0 && html`<details.made><summary>How they were made</summary><p.quiet.small>${made.join(" \u00b7 ")}</p></details>`}
  </section>`;
}

function layerRow(layer) {
  const samples = layer.samples.map((channel, k) => {
    const link = html`<a href=${routes.feature(layer, channel)} aria-label=${describe(layer, channel)} tabindex="-1">${sampleThumb(layer, k)}</a>`;
    peeking(link, layer, channel);
    return link;
  });
  return html`<div.layerrow>
    <a.layername href=${routes.layer(layer)}><strong>${layer.name}</strong><span.quiet.small>${count(layer.list.length, "channel")}</span></a>
    <div.strip>${samples.length ? samples : html`<span.quiet.small>${layer.features.left ? "no image yet" : "no image that shows anything"}</span>`}</div>
    <div.counts>${stateBar(layer)}</div>
  </div>`;
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

/** How many channels are dead, failed, left, and how many images lose: each number leads to them. Nothing is said where all are well. */
function stateBar(layer) {
  const { features, loses } = layer;
  const kinds = ["ok", "dead", "failed", "left"].filter((kind) => features[kind]);
  const link = (query, text, title) => html`<a.tally href=${routes.layer(layer, query)} title=${title}>${text}</a>`;
  const lost =
    loses > 0 &&
    link(
      { own: "loses", order: "rank", turned: "1" },
      `${count(loses, "image")} lose${loses === 1 ? "s" : ""}`,
      "Another feature\u2019s image drives these more than their own does",
    );
  if (kinds.length === 1 && features.ok) return lost && html`<span.small.quiet.states>${lost}</span>`;
  return [
    el(
      "span.statebar",
      { role: "img", "aria-label": kinds.map((kind) => `${features[kind]} ${kind}`).join(", ") },
      kinds.map((kind) => el(`span.${kind}`, { style: { flex: features[kind] / layer.list.length } })),
    ),
    html`<span.small.quiet.states>${kinds.map((kind) => (kind === "ok" ? html`<span>${features.ok.toLocaleString("en")} ok</span>` : link({ state: kind }, `${features[kind].toLocaleString("en")} ${STATE_WORDS[kind]}`)))}${lost}</span>`,
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
      location.protocol === "file:" && el("span.quiet.small", " \u00b7 good on this machine only"),
    ),
    commands.map(([what, text]) => el("div", el("span.label", what), copyable(text))),
  );
}
