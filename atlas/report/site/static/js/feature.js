// #/f/<model>/<layer>/<channel> : all that is known of one feature.

function featurePage(layer, channel, known, grids, query, trail) {
  const sets = known.images.map((image) => image.set);
  const asked = query.set ? setByKey(layer, query.set) : -1;
  const chosen = [asked, standing(layer, channel), sets[0]].find((set) => sets.includes(set));
  const image = known.images.find((one) => one.set === chosen);
  const address = addressOf(layer, channel);
  return html`<div.page.feature style=${{ "--model": colourOfModel(layer.model) }}>
    <header.title>
      <h1><span.dot></span><a href=${routes.layer(layer)}>${layer.name}</a><span.colon>:</span>${String(channel)}</h1>
      <p.lead>${named(layer, channel)}${calledOf(layer, channel) && html`<span.quiet>, </span>`}<span.quiet>a feature of </span>${layer.model.name}</p>
      ${walkLinks(layer, channel, grids, query, trail)}
      ${sentenceOf(layer, channel, known, image)}
    </header>
    <div.spread>
      <section.figures aria-label="Its image">${image ? chosenImage(layer, channel, image) : noImage(layer, channel)}</section>
      <div.beside>
        ${examplesSection(known)}
        <section.spectra aria-label="What its image does to the layer">${image && spectraOf(layer, channel, image)}</section>
      </div>
    </div>
    ${imageRows(layer, channel, known, chosen)}
    ${neighborsSection(layer, channel, known, query)}
    ${matchesSection(layer, channel)}
    ${known.images.length > 0 && madeSection(layer, known)}
    ${foot(
      [
        ["Its rows and a sheet of it", command("show", shellWord(address))],
        image && [
          "A card of it, PNG or SVG",
          command("show", shellWord(address), "--card", `${layer.name.replace(/[^\w.-]/g, "_")}-${channel}.svg`),
        ],
        ["In Python", `atlas.open(${JSON.stringify(whole.data.root)}).feature(${JSON.stringify(address)})`],
      ].filter(Boolean),
    )}
  </div>`;
}

/** Before and after in the order that one came in, the way back there, and what else one does with a feature. */
function walkLinks(layer, channel, grids, query, trail) {
  const kept = { ...selecting(query), ...pick(query, ["probe"]) };
  const row = beside(layer, channel, grids, query, trail) || {};
  const link = (item, rel, text) =>
    item && html`<a href=${routes.feature(item.layer, item.channel, { ...kept, n: item.n })} rel=${rel}>${text}</a>`;
  const title = (item) => (item.layer === layer ? item.channel : `${item.layer.name}:${item.channel}`);
  const address = addressOf(layer, channel);
  const mark = el(
    "button.mark",
    {
      type: "button",
      "aria-pressed": String(isMarked(address)),
      onclick: () => mark.setAttribute("aria-pressed", String(toggleMark(address))),
    },
    "Bookmark",
  );
  const narrowed = SELECTING.some((key) => query[key]);
  const where = () => `${(row.at + 1).toLocaleString("en")} of ${row.total.toLocaleString("en")}${orderWords(query)}`;
  return html`<nav.links aria-label="Around this feature">
    ${link(row.before, "prev", row.before && `\u2190 ${title(row.before)}`)}
    ${link(row.after, "next", row.after && `${title(row.after)} \u2192`)}
    ${narrowed && row.total > 0 && html`<a href=${wallOf(layer, channel, selecting(query))} rel="up">${trail ? trailWords(trail, row.at) : where()}</a>`}
    ${hasMap(layer.model) && layer.measures.length > 0 && stateOf(layer, channel) === "ok" && html`<a href=${routes.map(layer.model, { at: mapPlace({ layer, channel }) })}>On the map</a>`}
    <a href=${location.hash} onclick=${toRelatives}>Relatives</a>
    <a href=${routes.compare(address, null)}>Compare with \u2026</a>
    ${copyable(address)}
    ${copyable(() => location.href, "Copy link", location.protocol === "file:" ? "Copy link, good on this machine" : "Copy link")}
    ${mark}
  </nav>`;
}

/** Down to the relatives, from where Tab goes on. */
function toRelatives(event) {
  event.preventDefault();
  const heading = document.querySelector("#main .relatives h2");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus();
}

const orderWords = ({ order, turned }) =>
  ({ score: ", by score", rank: ", by own image", cluster: ", by family" })[order]?.concat(turned ? " from the weakest" : "") ||
  "";

/** What the chosen image does to the whole layer. */
function spectraOf(layer, channel, image) {
  if (!image.spectrum) return null;
  const rivals = rivalsOf(image, channel);
  return html`<h2>${term("spectrum", "What its image does to the layer")}</h2>
    ${spectrumChart(layer, channel, image)}
    ${rivals.length > 0 && html`<p.label>Others that it drives most</p>`}
    <div.rivals>${rivals.map(([other, value]) => {
      const said = html`<span.caption>${other} <span.quiet>${number(value)}</span> ${named(layer, other)}</span>`;
      return layer.place.has(other) ? card(layer, other, { lines: [said] }) : html`<span.rival>${said}</span>`;
    })}</div>`;
}

/** Its match in each other network, beside what a rotated copy would offer. */
function matchesSection(layer, channel) {
  const grid = arrived.get(`layers/${layer.path}/layer`);
  const place = layer.place.get(channel);
  const found = Object.entries(grid.matches)
    .map(([model, { layers, rows }]) => [model, layers, rows[place]])
    .filter(([, , row]) => row);
  const cards = found.flatMap(([model, layers, [l, other, score, baseline, , partnerLayer, partner, partnerScore]]) => {
    const to = layerOf(model, layers[l]);
    const mate = partnerLayer >= 0 ? layerOf(model, layers[partnerLayer]) : null;
    return [
      to?.place.has(other) &&
        neighborCard(
          { layer: to, channel: other, score, baseline, most: 1 },
          layer,
          channel,
          isBeyond({ score, baseline }) ? "best match" : "best match, not above chance",
        ),
      mate?.place.has(partner) &&
        neighborCard(
          { layer: mate, channel: partner, score: partnerScore, baseline: null, most: 1 },
          layer,
          channel,
          el("span", term("partner", "partner")),
        ),
    ];
  });
  return cards.some(Boolean) && html`<section><h2>Its match in other networks</h2><div.matches>${cards}</div></section>`;
}
