// Two layers beside each other: how alike they are as wholes, and which of their features are.

/** What is loaded for two layers: layer.js of the first, and pairs.js, its nearest in its own network; null of another network's. */
const layersData = (one, other) =>
  Promise.all([gridOf(one), one.model === other.model ? load(`layers/${one.path}/pairs`).catch(() => null) : null]);

/** The pairs of two layers, as they stand on their page: the best, those beyond chance first, and those that are paired one to one. */
function layerPairs(one, other, grid, near) {
  const matches = one.model === other.model ? null : grid.matches[other.model.name];
  const best = matches ? bestMatches(one, other, matches) : one !== other && near ? nearestIn(one, other, near) : [];
  const [{ above, within }, rest] = [parted(best), matches ? partners(one, other, matches) : []];
  return { best: [...above, ...within], rest, above: above.length };
}

function layersPage(one, other, grid, near, at) {
  const row = (whole.data.relations.atlas || []).find(([i, j]) => i === one.number && j === other.number);
  const pairs = layerPairs(one, other, grid, near);
  seekInList(at);
  const facts = row
    ? [
        ["cka", row[2], null],
        ["best_match", row[4], row[5]],
        ["mutual_share", row[6], row[7]],
      ]
    : [];
  return html`<div.page.compare>
    <header.title>
      <h1>Two layers</h1>
      <p.lead>${[one, other].map((layer, k) => [k ? " and " : "", html`<a href=${routes.layer(layer)} style=${{ "--model": colourOfModel(layer.model) }}><span.dot></span>${nameOf(layer)}</a>`])}</p>
      <nav.links>${depthLinks(one, other)}<a href=${routes.compare(nameOf(other), nameOf(one))}>Swap</a><a href=${routes.compare(nameOf(one), null)}>Another layer</a></nav>
    </header>
    ${
      facts.length > 0 &&
      html`<dl.facts.large>${facts.map(
        ([key, value, baseline]) => html`<div><dt>${term(key)}</dt>
      <dd>${number(value)}${baseline !== null && html`<span.quiet.small> by chance ${number(baseline)}${value > baseline ? "" : ": not more"}</span>`}</dd></div>`,
      )}</dl>`
    }
    ${one.model !== other.model && grid.matches[other.model.name] ? matchesWall(one, other, pairs, at) : nearWall(one, other, pairs, at)}
    ${foot([
      ["How alike they are", sql(`select * from layers where ${isLayer("_a", one)} and ${isLayer("_b", other)}`)],
      ...(one.model === other.model
        ? []
        : [["Best matches of the whole networks", command("match", shellWord(one.model.name), shellWord(other.model.name))]]),
    ])}
  </div>`;
}

/** The condition that a row is of a layer; side: "_a" or "_b" where it is of two. */
const isLayer = (side, layer) => `model${side} = '${sqlText(layer.model.name)}' and layer${side} = '${sqlText(layer.name)}'`;

/** The layer before and after in both networks. */
function depthLinks(one, other) {
  return [
    [-1, "prev"],
    [1, "next"],
  ].map(([step, rel]) => {
    const [a, b] = [one, other].map((layer) => layer.model.layers[layer.model.layers.indexOf(layer) + step]);
    return (
      a &&
      b &&
      el(
        "a",
        { href: routes.compare(nameOf(a), nameOf(b)), rel },
        step < 0 ? `\u2190 ${a.name} and ${b.name}` : `${a.name} and ${b.name} \u2192`,
      )
    );
  });
}

/** Features of one layer whose best match in the other's whole network stands in this layer of it; the furthest above chance first. */
const bestMatches = (one, other, { layers, rows }) =>
  rows
    .flatMap((row, place) => {
      if (!row || layers[row[0]] !== other.name || !other.place.has(row[1])) return [];
      return [
        { layer: one, channel: one.list[place], to: other, other: row[1], score: row[2], baseline: row[3], mutual: row[4] },
      ];
    })
    .sort(byExcess);

/** Features that are paired one to one, although the best match of each stands elsewhere. */
const partners = (one, other, { layers, rows }) =>
  rows
    .flatMap((row, place) => {
      if (!row || row[5] < 0 || layers[row[5]] !== other.name || !other.place.has(row[6]) || layers[row[0]] === other.name)
        return [];
      return [{ layer: one, channel: one.list[place], to: other, other: row[6], score: row[7], baseline: null, mutual: 0 }];
    })
    .sort((a, b) => b.score - a.score);

/** Of features of one layer the nearest in another of the same network, where it stands in their list of nearest. */
function nearestIn(one, other, { layers, step, rows: [place, layer, channel, reverse, score, excess] }) {
  return place
    .map((at, k) => ({
      layer: one,
      channel: one.list[at],
      to: layerOf(...layers[layer[k]]),
      other: channel[k],
      mutual: reverse[k] > 0,
      ...scored(score[k], excess[k], step),
    }))
    .filter((pair) => pair.to === other && other.place.has(pair.other))
    .sort(byExcess);
}

const byExcess = (a, b) => b.score - b.baseline - (a.score - a.baseline);

/** Pairs beyond chance, and the others folded; start: the place in the list of the first; at: of the feature that is sought. */
function couplesOf(pairs, start, at) {
  const { above, within } = parted(pairs);
  const some = (rows, from) =>
    shortened(rows, (pair, k) => couple(pair, 1, 2 * (from + k)), { shown: 60, kind: "couples", at: (at >> 1) - from });
  const folds = start + above.length;
  const sought = at !== undefined && at >> 1 >= folds && at >> 1 < start + pairs.length;
  return [
    above.length > 0 && some(above, start),
    within.length > 0 &&
      folded(`${count(within.length, "more pair")}, not above chance`, () => some(within, folds), sought),
  ];
}

const sidesOf = (one, other) => `Left ${nameOf(one)}, right ${nameOf(other)}.`;

function matchesWall(one, other, { best, rest, above }, at) {
  return [
    html`<section><h2>Best matches</h2>
      ${
        best.length
          ? [
              html`<p.quiet.small.measureline>Of ${count(one.list.length, "feature")}, ${best.length} ${best.length === 1 ? "has its" : "have their"} best match
            in all of ${other.model.name} here: they ${term("profile", MEASURE_WORDS.profile)}; ${above} above ${term("baseline", "chance")}.
            The furthest above it first. ${sidesOf(one, other)}</p>`,
              couplesOf(best, 0, at),
            ]
          : html`<p.empty>No feature of ${nameOf(one)} has its best match in ${nameOf(other)}.</p>`
      }</section>`,
    rest.length > 0 &&
      html`<section><h2>Paired one to one</h2>
      <p.quiet.small.measureline>${count(rest.length, "feature")} whose best match stands in another layer, with its ${term("partner", "partner")} in this one. ${sidesOf(one, other)}</p>${couplesOf(rest, best.length, at)}</section>`,
  ];
}

function nearWall(one, other, { best: pairs, above }, at) {
  if (one === other)
    return html`<p.empty>It is the same layer twice: <a href=${routes.matrix(one)}>each of its features with each</a>.</p>`;
  if (!pairs.length)
    return whole.data.probes.length
      ? html`<p.empty>No feature of ${nameOf(one)} has one of ${nameOf(other)} among its nearest.</p>`
      : notCompared();
  return html`<section><h2>Pairs</h2>
    <p.quiet.small.measureline>Of ${count(one.list.length, "feature")}, ${pairs.length} ${pairs.length === 1 ? "has one" : "have some"} of ${other.name} among their
      nearest in the network: they ${term("profile", MEASURE_WORDS.profile)}; ${above} above ${term("baseline", "chance")}.
            The furthest above it first. ${sidesOf(one, other)}</p>
    ${couplesOf(pairs, 0, at)}</section>`;
}
