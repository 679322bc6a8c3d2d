// Two layers beside each other: how alike they are as wholes, and which of their features are.

/** near: of features of `one` the nearest in each other layer of its network (pairs.js); null for another network. */
function layersPage(one, other, grid, near) {
  const row = (whole.data.relations.atlas || []).find(([i, j]) => i === one.number && j === other.number);
  const matches = one.model === other.model ? null : grid.matches[other.model.name];
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
    ${matches ? matchesWall(one, other, matches) : nearWall(one, other, near)}
    ${foot([
      ["How alike they are", sql(`select * from layers where ${isLayer("a", one)} and ${isLayer("b", other)}`)],
      ...(one.model === other.model
        ? []
        : [["Best matches of the whole networks", command("match", shellWord(one.model.name), shellWord(other.model.name))]]),
    ])}
  </div>`;
}

const isLayer = (side, layer) => `model_${side} = '${sqlText(layer.model.name)}' and layer_${side} = '${sqlText(layer.name)}'`;

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

/** Pairs beyond chance, and the others folded. */
function couplesOf(pairs) {
  const { above, within } = parted(pairs);
  const draw = (pair) => couple(pair, 1);
  return [
    above.length > 0 && shortened(above, draw, { shown: 60, kind: "couples" }),
    within.length > 0 &&
      folded(`${count(within.length, "more pair")}, not above chance`, () =>
        shortened(within, draw, { shown: 60, kind: "couples" }),
      ),
  ];
}

const sidesOf = (one, other) => `Left ${nameOf(one)}, right ${nameOf(other)}.`;

function matchesWall(one, other, found) {
  const [best, rest] = [bestMatches(one, other, found), partners(one, other, found)];
  const above = parted(best).above.length;
  return [
    html`<section><h2>Best matches</h2>
      ${
        best.length
          ? [
              html`<p.quiet.small.measureline>Of ${count(one.list.length, "feature")}, ${best.length} ${best.length === 1 ? "has its" : "have their"} best match
            in all of ${other.model.name} here: they ${term("profile", MEASURE_WORDS.profile)}; ${above} above ${term("baseline", "chance")}.
            The furthest above it first. ${sidesOf(one, other)}</p>`,
              couplesOf(best),
            ]
          : html`<p.empty>No feature of ${nameOf(one)} has its best match in ${nameOf(other)}.</p>`
      }</section>`,
    rest.length > 0 &&
      html`<section><h2>Paired one to one</h2>
      <p.quiet.small.measureline>${count(rest.length, "feature")} whose best match stands in another layer, with its ${term("partner", "partner")} in this one. ${sidesOf(one, other)}</p>${couplesOf(rest)}</section>`,
  ];
}

function nearWall(one, other, near) {
  if (one === other)
    return html`<p.empty>It is the same layer twice: <a href=${routes.matrix(one)}>each of its features with each</a>.</p>`;
  const pairs = near ? nearestIn(one, other, near) : [];
  if (!pairs.length)
    return whole.data.probes.length
      ? html`<p.empty>No feature of ${nameOf(one)} has one of ${nameOf(other)} among its nearest.</p>`
      : notCompared();
  const above = parted(pairs).above.length;
  return html`<section><h2>Pairs</h2>
    <p.quiet.small.measureline>Of ${count(one.list.length, "feature")}, ${pairs.length} ${pairs.length === 1 ? "has one" : "have some"} of ${other.name} among their
      nearest in the network: they ${term("profile", MEASURE_WORDS.profile)}; ${above} above ${term("baseline", "chance")}.
            The furthest above it first. ${sidesOf(one, other)}</p>
    ${couplesOf(pairs)}</section>`;
}
