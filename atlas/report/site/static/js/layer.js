// #/l/<model>/<layer> and #/all : walls of features, in an order of choice and narrowed down by filters.

const SIZES = { small: 52, medium: 84, large: 132 };
const CROWD = 600; // features, above which thumbnails are small unless asked otherwise

const sizeOf = (query, total) => (Object.hasOwn(SIZES, query.size) ? query.size : total > CROWD ? "small" : "medium");

function layerPage(layer, grid, query) {
  const size = sizeOf(query, layer.list.length);
  const states = Object.keys(layer.features).filter((key) => layer.features[key]);
  const groups = selected([layer], [grid], query);
  return html`<div.page.layer style=${{ "--model": colourOfModel(layer.model) }}>
    <header.title>
      <h1><span.dot></span>${layer.name}</h1>
      <p.lead>${shownOf(groups, layer.list.length, "channel")}<span.quiet> of ${layer.model.name}</span></p>
      <div.headcounts>${stateBar(layer)}</div>
      ${layerLinks(layer)}
    </header>
    ${orderTools([layer], [grid], query, size)}
    ${filterTools(query, states)}
    ${itemCount(groups) ? makeWall(`Channels of ${nameOf(layer)}`, groups, { ...query, size: SIZES[size], at: query.at && `${nameOf(layer)}:${query.at}` }) : noneLike(query, [layer])}
    ${failuresOf(layer, grid)}
    ${matchesLinks(layer)}
    ${foot([["The same as a table", sql(selectionSql(query, layer))]])}
  </div>`;
}

const itemCount = (groups) => groups.reduce((sum, group) => sum + group.items.length, 0);

/** How many there are, and how many of them are shown. */
function shownOf(groups, total, noun) {
  const shown = itemCount(groups);
  return shown === total ? count(total, noun) : `${shown.toLocaleString("en")} of ${count(total, noun)}`;
}

const noneLike = ({ name }, layers) => html`<p.empty>No feature is like that.${offered("name", name, layers)}</p>`;

/** All of the atlas on one wall. */
function allPage(layers, grids, query) {
  const groups = selected(layers, grids, { ...query, of: "all" });
  const shown = itemCount(groups);
  const total = layers.reduce((sum, layer) => sum + layer.list.length, 0);
  const size = sizeOf(query, shown);
  const states = ["ok", "dead", "failed", "left"].filter((key) => layers.some((layer) => layer.features[key]));
  const places = [
    ["", "the whole atlas"],
    ...whole.data.models.flatMap((model) => [[model.name, model.name], ...model.layers.map((one) => [nameOf(one), nameOf(one)])]),
  ];
  return html`<div.page.all>
    <header.title>
      <h1>${allTitle(query)}</h1>
      <p.lead>${shownOf(groups, total, "feature")}
        <span.quiet> of ${query.in || whole.data.name}</span></p>
      ${listNav(`all ${query.state || query.own || ""}`)}
    </header>
    ${orderTools(layers, grids, query, size)}
    <div.tools>${picker("In", places, query.in || "", (value) => redraw({ in: value || null, at: null }))}</div>
    ${filterTools(query, states)}
    ${query.order === "score" && layers.length > 1 && html`<p.quiet.small>Layers have scales of their own: a score means something beside those of its own layer.</p>`}
    ${shown ? makeWall("Features", groups, { ...query, of: "all", size: SIZES[size] }) : noneLike(query, layers)}
    ${foot([["The same as a table", sql(selectionSql(query))]])}
  </div>`;
}

function allTitle({ state, own, name }) {
  if (state)
    return { ok: "Features", dead: "Dead features", failed: "Features that failed", left: "Features not made yet" }[state];
  if (own === "loses") return "Images that lose";
  return name ? `Features like ${name}` : "All features";
}

function layerLinks(layer) {
  const { layers } = layer.model;
  const at = layers.indexOf(layer);
  const [before, after] = [layers[at - 1], layers[at + 1]];
  const keep = keptQuery("order", "turned", "measure", "size", "set", "state", "own");
  return html`<nav.links aria-label="Around this layer">
    ${before && html`<a href=${routes.layer(before, keep)} rel="prev">\u2190 ${before.name}</a>`}
    ${after && html`<a href=${routes.layer(after, keep)} rel="next">${after.name} \u2192</a>`}
    ${layer.measures.length > 0 && html`<a href=${routes.matrix(layer)}>Each with each</a>`}
    ${hasMap(layer.model) && html`<a href=${routes.map(layer.model, { layer: layer.name })}>On the map</a>`}
    <a href=${routes.compare(nameOf(layer), null)}>Compare with another layer</a>
  </nav>`;
}

function failuresOf(layer, grid) {
  if (!grid.failures.length) return null;
  const rows = grid.failures.map(([channel, set, type, message, attempts]) => [
    el("a", { href: routes.feature(layer, channel, { state: "failed" }) }, channel),
    set >= 0 ? setLabel(layer, set) : "\u2013",
    [el("strong", type), ` ${message || ""}`],
    attempts,
  ]);
  return html`<section><h2>Failed</h2>${table(["channel", "images", "error", "tries"], rows, { stacks: true })}</section>`;
}

/** Of each network the layer that is most like this one as a whole, its own network first. */
function matchesLinks(layer) {
  const pairs = (whole.data.relations.atlas || [])
    .filter(([i, j, cka]) => i === layer.number && j !== i && cka !== null)
    .sort((a, b) => b[2] - a[2]);
  const best = whole.data.models
    .map((model) => pairs.find(([, j]) => whole.layers[j].model === model))
    .filter(Boolean)
    .sort((a, b) => (whole.layers[b[1]].model === layer.model) - (whole.layers[a[1]].model === layer.model));
  if (!best.length) return null;
  return html`<section><h2>The layers most like it</h2><ul.linklist>${best.map(
    ([, j, cka]) => html`<li><a href=${routes.compare(nameOf(layer), nameOf(whole.layers[j]))}>${nameOf(whole.layers[j])}</a>
      <span.quiet.small> ${term("cka", "alike as a whole")} ${number(cka)}</span></li>`,
  )}</ul></section>`;
}
