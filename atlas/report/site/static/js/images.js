// The images of a feature: the one that is looked at, large; and all as rows: does it come out again with another seed, metric or recipe?

/** One image with what is known of it. */
function chosenImage(layer, channel, image) {
  const grid = arrived.get(`layers/${layer.path}/layer`);
  const place = layer.place.get(channel);
  const { rank, z } = Object.fromEntries(["rank", "z"].map((key) => [key, grid.sets[image.set]?.[key][place] ?? null]));
  const total = grid.sets[image.set]?.rank.filter((one) => one !== null).length;
  const facts = [["score", "score", number(image.score)]];
  if (rank !== null) facts.push(["rank", "own image", rank === 1 ? `best of ${total}` : `${ordinal(rank)} of ${total}`]);
  if (z !== null) facts.push(["z", "deviations", number(z, 1)]);
  return html`<figure.chosen>
    <a.frame href=${imageOf(layer, channel, image.set)} target="_blank" title="The image file">${fullImage(layer, channel, image.set, { width: image.width, height: image.height, loading: "eager" })}</a>
    <figcaption>
      <p><strong>${setLabel(layer, image.set)}</strong>${image.status === "dead" && [" ", term("dead", "dead")]}</p>
      <dl.facts>${facts.map(([key, word, value]) => html`<div><dt>${term(key, word)}</dt><dd>${value}</dd></div>`)}</dl>
      ${image.trace && traceChart(image.trace, image.score)}
    </figcaption>
  </figure>`;
}

/** All images, a row for each recipe, metric and target, the seeds side by side. */
function imageRows(layer, channel, known, chosen) {
  if (known.images.length < 2) return null;
  const rows = new Map();
  for (const image of known.images) {
    const { metric, target, recipe, variant } = layer.sets[image.set];
    const key = JSON.stringify([metric, target, recipe, variant]);
    rows
      .set(key, rows.get(key) || [])
      .get(key)
      .push(image);
  }
  const differing = (name) => new Set(layer.sets.map((one) => one[name])).size > 1;
  const title = ({ metric, target, recipe, variant }) =>
    [metric, (target !== "channel" || differing("target")) && target, differing("recipe") && recipe, variant]
      .filter(Boolean)
      .join(" \u00b7 ");
  const figure = (image) => html`<figure class=${image.set === chosen ? "shown" : ""}>
    <a.frame href=${routes.feature(layer, channel, { ...selecting(), set: layer.sets[image.set].key })} aria-label=${`Look at ${setLabel(layer, image.set)}`} aria-current=${image.set === chosen && "true"}>
      ${fullImage(layer, channel, image.set, { width: image.width, height: image.height })}</a>
    <figcaption.caption>${differing("seed") && `seed ${layer.sets[image.set].seed} `}<span.quiet>score ${number(image.score)}</span></figcaption>
  </figure>`;
  return html`<section.otherwise><h2>The same feature, made otherwise</h2>
    ${[...rows.values()].map((images) => html`<div.madeRow><h3>${title(layer.sets[images[0].set])}</h3><div.run>${images.map(figure)}</div></div>`)}
  </section>`;
}

function noImage(layer, channel) {
  const grid = arrived.get(`layers/${layer.path}/layer`);
  const mine = grid.failures.filter(([failed]) => failed === channel);
  return mine.length
    ? mine.map(([, set, type, message]) =>
        el("p.empty", `${set >= 0 ? `${setLabel(layer, set)}: ` : ""}failed with ${type}: ${message || ""}`),
      )
    : el("p.empty", "Its images are not made yet.");
}

function madeSection(layer, known) {
  const rows = [
    ["recipe", (image) => layer.sets[image.set].recipe],
    ["seed", (image) => layer.sets[image.set].seed],
    ["target", (image) => layer.sets[image.set].target],
    ["size", (image) => `${image.width} \u00d7 ${image.height} px`],
    ["steps", (image) => image.steps],
    ["score before", (image) => number(image.start)],
    ["loss", (image) => number(image.loss)],
    ["device", (image) => `${image.device}, ${image.precision}`],
    ["seconds", (image) => number(image.seconds)],
    ["weights", (image) => image.weights],
    ["made", (image) => moment(image.created)],
    ["task", (image) => image.task],
    ["file", (image) => `${layer.sets[image.set].folder}\u2026`],
  ];
  const heads = ["", ...known.images.map((image) => setLabel(layer, image.set))];
  return html`<details.made><summary>How it was made</summary>${table(
    heads,
    rows.map(([name, value]) => [name, ...known.images.map(value)]),
    { rowHeads: true },
  )}</details>`;
}
