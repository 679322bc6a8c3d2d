// Choosing what to compare by looking: the one that is known, and what may stand beside it.

const OFFERED = 96; // features of a layer at first

/** a, b: what was asked for; one, other: what that means. */
function pickPage(a, b, one, other, said) {
  const wrong = [
    [a, one],
    [b, other],
  ]
    .filter(([text, found]) => text && !found)
    .map(([text]) => text);
  const first = one || other;
  const ask = html`<button.choice.single type="button" onclick=${() => openSearch((found) => go(pairRoute(first, found)), first?.list ? "layers" : first ? "features" : null)}>Search</button>`;
  return html`<div.page.compare>
    <header.title>
      <h1>Compare</h1>
      <p.lead.quiet>${said || (first ? ["Pick what to put beside ", html`<strong>${first.list ? nameOf(first) : addressOf(first.layer, first.channel)}</strong>`, "."] : "Pick a layer or a feature, and then another.")}</p>
      <nav.links>${ask}</nav>
    </header>
    ${wrong.length > 0 && html`<p.empty>Not in this atlas: ${wrong.join(", ")}</p>`}
    ${!first ? layerPicks((layer) => routes.compare(nameOf(layer), null)) : first.list ? layerPicks((layer) => routes.compare(nameOf(first), nameOf(layer)), first) : featurePicks(first)}
    ${foot([])}
  </div>`;
}

const addressOfAny = (one) => (one.channel === undefined ? nameOf(one.layer || one) : addressOf(one.layer, one.channel));
const pairRoute = (first, found) =>
  first ? routes.compare(addressOfAny(first), addressOfAny(found)) : routes.compare(addressOfAny(found), null);

/** Layers with a sample of each, network by network. */
const layerPicks = (link, but) =>
  whole.data.models.map(
    (model) => html`<section style=${{ "--model": colourOfModel(model) }}><h2><span.dot></span>${model.name}</h2>
  <div.picks>${model.layers.filter((layer) => layer !== but).map((layer) => html`<a.pick href=${link(layer)}>${sampleOf(layer)}<span>${layer.name}</span></a>`)}</div></section>`,
  );

const sampleOf = (layer) =>
  layer.samples.length ? sampleThumb(layer, Math.floor(layer.samples.length / 2)) : html`<span.thumb.none></span>`;

/** Its nearest, the bookmarks, and its layer; another network is a search away. */
function featurePicks(first) {
  const mine = addressOf(first.layer, first.channel);
  const pickOf = (layer, channel) => {
    const link = card(layer, channel, { lines: [whereabouts(layer, channel, first.layer)] });
    link.href = routes.compare(mine, addressOf(layer, channel));
    return html`<div.neighbor style=${{ "--model": colourOfModel(layer.model) }}>${link}</div>`;
  };
  const near = new Map();
  for (const row of Object.values(first.known.neighbors).flat())
    if (row.sign > 0 && isBeyond(row)) near.set(addressOf(row.layer, row.channel), row);
  const kept = marks()
    .map(parseAddress)
    .filter((one) => one && addressOf(one.layer, one.channel) !== mine);
  const own = first.layer.list.filter((channel) => channel !== first.channel);
  const section = (title, items) =>
    items.length > 0 &&
    html`<section><h2>${title}</h2><div.neighborlist>${shortened(items, ({ layer, channel }) => pickOf(layer, channel), { shown: OFFERED })}</div></section>`;
  return [
    section("Its relatives, beyond chance", [...near.values()]),
    section("Bookmarks", kept),
    section(
      "Its layer",
      own.map((channel) => ({ layer: first.layer, channel })),
    ),
  ];
}
