// #/compare?a=…&b=… : two features, or two layers, beside each other.

/** What is to be loaded, and how it is drawn. */
function compared(query) {
  const { a, b } = query;
  const [one, other] = [a || "", b || ""].map(meant);
  const first = one || other;
  if ((!one || !other) && first && !first.list)
    return [
      details(first.layer, first.channel),
      (known) => pickPage(a || "", b || "", one && { ...one, known }, other && { ...other, known }),
    ];
  if (!one || !other) return [null, () => pickPage(a || "", b || "", one, other)];
  if (one.list && other.list)
    return [layersData(one, other), ([grid, near]) => layersPage(one, other, grid, near, query.at)];
  if (one.list || other.list)
    return [
      null,
      () => pickPage(a, b, one.list ? one : other, null, "Two features go together, or two layers: pick another layer."),
    ];
  const sides = [one, other].map(({ layer, channel }) => [details(layer, channel), gridOf(layer)]);
  return [
    Promise.all([...sides.flat(), pairMatrix(one, other), trailOf(query)]),
    ([first, , second, , matrix, trail]) => pairPage(one, first, other, second, matrix, pairLinks(trail, query)),
  ];
}

/** The feature or the layer that a text names, or that search finds first. */
function meant(text) {
  const exact = parseAddress(text) || whole.byAddress.get(text);
  if (exact || !text) return exact;
  const [found] = find(text);
  return found && (found.channel === undefined ? found.layer : found);
}

const SMALL_MATRIX = 1024; // channels: a larger layer's is megabytes for one number

/** The similarity matrix that holds the two, where there is one and it is small. */
const pairMatrix = (one, other) =>
  one.layer === other.layer && one.layer.measures.length && one.layer.list.length <= SMALL_MATRIX
    ? load(`layers/${one.layer.path}/matrix-${one.layer.measures[0]}`).catch(() => null)
    : null;

function pairPage(one, first, other, second, matrix, links) {
  const relations = [...relationsOf(first, other), ...relationsOf(second, one).map((row) => ({ ...row, back: true }))];
  const addresses = [one, other].map((side) => addressOf(side.layer, side.channel));
  return el(
    "div.page.compare",
    el(
      "header.title",
      el("h1", "Two features"),
      el(
        "nav.links",
        links,
        el("a", { href: routes.compare(addresses[1], addresses[0]) }, "Swap"),
        el("a", { href: routes.compare(addresses[0], null) }, "Another one"),
      ),
    ),
    el(
      "div.pair2",
      [
        [one, first],
        [other, second],
      ].map(([side, known]) => sideOf(side, known)),
    ),
    el(
      "section",
      el("h2", "How alike"),
      relations.length ? relationsList(relations, one, other) : el("p.empty", whyUnrelated(one, first, other, second)),
      matrixLine(matrix, one, other),
    ),
    sharedSection(one, first, other, second),
    foot(
      [
        [one, other],
        [other, one],
      ].map(([from, to]) => [
        `Neighbors of ${from.layer.name}:${from.channel}`,
        command(
          "similar",
          shellWord(addressOf(from.layer, from.channel)),
          ...(from.layer.model === to.layer.model
            ? ["--scope", from.layer === to.layer ? "layer" : "model"]
            : ["--to", shellWord(to.layer.model.name)]),
        ),
      ]),
    ),
  );
}

function whyUnrelated(one, first, other, second) {
  if (one.layer === other.layer && one.channel === other.channel) return "They are the same feature.";
  const alone = [
    [one, first],
    [other, second],
  ].find(([, known]) => !Object.keys(known.neighbors).length);
  if (!alone) return "Neither stands in a list of the other\u2019s nearest or most opposite features.";
  return [
    `${addressOf(alone[0].layer, alone[0].channel)} was not compared with others; `,
    copyable(whole.data.compare),
    " brings what is known up to date.",
  ];
}

/** What the layer's matrix says of any two of its features, as finely as its bytes tell. */
function matrixLine(matrix, one, other) {
  const [i, j] = [one, other].map(({ channel }) => matrix?.channels.indexOf(channel) ?? -1);
  if (i < 0 || j < 0 || i === j) return null;
  const { value, step } = readMatrix("", matrix, shader(...matrix.shown));
  return html`<p.quiet>In the <a href=${routes.matrix(one.layer)}>matrix of the layer</a>: ${one.layer.measures[0]} about ${number(value(i, j), digitsOf(step))}</p>`;
}

function sideOf({ layer, channel }, known) {
  const set = standing(layer, channel);
  const image = known.images.find((one) => one.set === set) || known.images[0];
  return el(
    "div.side",
    { style: { "--model": colourOfModel(layer.model) } },
    el(
      "a.frame",
      { href: routes.feature(layer, channel) },
      image ? fullImage(layer, channel, image.set, { loading: "eager" }) : noImage(layer, channel),
    ),
    el(
      "h2.sidehead",
      el(
        "a",
        { href: routes.feature(layer, channel) },
        el("span.dot"),
        `${layer.model.name} / ${layer.name} : ${channel} `,
        named(layer, channel),
      ),
    ),
    image && el("p.small.quiet", `${setLabel(layer, image.set)} \u00b7 score ${number(image.score)}`),
  );
}

/** Where `to` stands in the lists of a feature. */
const relationsOf = (known, to) =>
  Object.entries(known.neighbors).flatMap(([key, rows]) => {
    const [probe, scope, measure] = key.split("/");
    return rows
      .filter((row) => row.channel === to.channel && row.layer === to.layer)
      .map((row) => ({ ...row, probe, scope, measure }));
  });

const AMONG = { layer: "the layer", model: "the network", other: "the other network" };

function relationsList(rows, one, other) {
  const name = ({ layer, channel }) =>
    layer === one.layer && layer === other.layer ? String(channel) : `${layer.name}:${channel}`;
  const heads = [
    "of",
    "among",
    "measure",
    "place",
    "score",
    term("baseline", "by chance"),
    term("reverse", "place in the other\u2019s list"),
    term("mutual", "mutual"),
  ];
  const cells = (row) => [
    `${name(row.back ? one : other)} in ${name(row.back ? other : one)}\u2019s list`,
    `${AMONG[row.scope]}${row.probe === "atlas" ? "" : `, on ${probeWords(row.probe)}`}`,
    term(row.measure, MEASURE_WORDS[row.measure]),
    `${row.sign > 0 ? "nearest" : "opposite"} ${row.rank}`,
    number(row.score),
    number(row.baseline),
    row.reverse || "\u2013",
    row.reverse ? "yes" : "no",
  ];
  return table(heads, rows.map(cells), { stacks: true });
}

/** The features that are near to both, beyond chance. */
function sharedSection(one, first, other, second) {
  const near = (known) =>
    new Map(
      Object.values(known.neighbors)
        .flat()
        .filter((row) => row.sign > 0 && isBeyond(row))
        .map((row) => [addressOf(row.layer, row.channel), row]),
    );
  const theirs = near(second);
  const shared = [...near(first)].filter(([address]) => theirs.has(address)).map(([, row]) => row);
  if (!shared.length) return null;
  return html`<section><h2>Near to both</h2><div.neighborlist>${shared.slice(0, 24).map(
    ({ layer, channel }) => html`<div.neighbor style=${{ "--model": colourOfModel(layer.model) }}>
    ${card(layer, channel, { lines: [whereabouts(layer, channel, one.layer)] })}</div>`,
  )}</div></section>`;
}
