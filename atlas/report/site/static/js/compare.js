// #/compare?a=…&b=… : two features, or two layers, beside each other.

/** What is to be loaded, and how it is drawn. */
function compared({ a, b }) {
  const [one, other] = [a || "", b || ""].map(meant);
  if (!one || !other) return [null, () => compareForm(a || "", b || "", one, other)];
  if (one.list && other.list) return [gridOf(one), (grid) => layersPage(one, other, grid)];
  if (one.list || other.list) return [null, () => compareForm(a, b, one, other, "Name two features, or two layers.")];
  const sides = [one, other].map(({ layer, channel }) => [details(layer, channel), gridOf(layer)]);
  return [
    Promise.all([...sides.flat(), pairMatrix(one, other)]),
    ([first, , second, , matrix]) => pairPage(one, first, other, second, matrix),
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

/** Two fields, with what is wrong with them. */
function compareForm(a, b, one, other, said) {
  const field = (name, value) =>
    el("input", { name, value, placeholder: "model/layer:channel or model/layer", "aria-label": name, list: "layers" });
  const wrong = [
    [a, one],
    [b, other],
  ]
    .filter(([text, found]) => text && !found)
    .map(([text]) => text);
  return el(
    "div.page.compare",
    el(
      "header.title",
      el("h1", "Compare"),
      el("p.lead.quiet", said || "Two features, or two layers of any networks of this atlas."),
    ),
    wrong.length > 0 && el("p.empty", `Not in this atlas: ${wrong.join(", ")}`),
    el(
      "form.comparing",
      {
        onsubmit: (event) => {
          event.preventDefault();
          const values = new FormData(event.target);
          go(routes.compare(values.get("a").trim(), values.get("b").trim()));
        },
      },
      field("a", a),
      field("b", b),
      el("button.choice", { type: "submit" }, "Compare"),
      el(
        "datalist",
        { id: "layers" },
        whole.layers.map((layer) => el("option", { value: nameOf(layer) })),
      ),
    ),
  );
}

function pairPage(one, first, other, second, matrix) {
  const relations = [
    ...relationsOf(one, first, other),
    ...relationsOf(other, second, one).map((row) => ({ ...row, back: true })),
  ];
  const addresses = [one, other].map((side) => addressOf(side.layer, side.channel));
  return el(
    "div.page.compare",
    el(
      "header.title",
      el("h1", "Two features"),
      el("nav.links", el("a", { href: routes.compare(addresses[1], addresses[0]) }, "Swap")),
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
  const step = (matrix.high - matrix.low) / 255;
  const value = matrix.low + step * bytes(matrix.data)[i * matrix.channels.length + j];
  return el(
    "p.quiet",
    "In the ",
    el("a", { href: routes.matrix(one.layer) }, "matrix of the layer"),
    `: ${one.layer.measures[0]} about ${number(value, digitsOf(step))}`,
  );
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
      "h3",
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
function relationsOf({ layer }, known, to) {
  return Object.entries(known.neighbors).flatMap(([key, rows]) => {
    const [probe, scope, measure] = key.split("/");
    return rows
      .filter(
        ([, , l, channel]) =>
          channel === to.channel && known.layers[l][0] === to.layer.model.name && known.layers[l][1] === to.layer.name,
      )
      .map(([sign, rank, , , score, baseline, reverse, mutual]) => ({
        probe,
        scope,
        measure,
        sign,
        rank,
        score,
        baseline,
        reverse,
        mutual,
        layer,
      }));
  });
}

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
    term("baseline", "baseline"),
    term("reverse", "reverse rank"),
    term("mutual", "mutual"),
  ];
  const cells = (row) => [
    `${name(row.back ? one : other)} in ${name(row.back ? other : one)}\u2019s list`,
    `${AMONG[row.scope]}${row.probe === "atlas" ? "" : `, probe ${row.probe}`}`,
    term(row.measure, row.measure),
    `${row.sign > 0 ? "nearest" : "opposite"} ${row.rank}`,
    number(row.score),
    number(row.baseline),
    row.reverse || "\u2013",
    row.mutual ? "\u21c4" : "\u2013",
  ];
  return table(heads, rows.map(cells));
}

/** The features that are near to both. */
function sharedSection(one, first, other, second) {
  const near = (known) =>
    new Map(
      Object.values(known.neighbors)
        .flat()
        .filter(([sign]) => sign > 0)
        .map(([, , l, channel]) => [`${known.layers[l][0]}/${known.layers[l][1]}:${channel}`, true]),
    );
  const theirs = near(second);
  const shared = [...near(first).keys()]
    .filter((address) => theirs.has(address))
    .map(parseAddress)
    .filter(Boolean);
  if (!shared.length) return null;
  return el(
    "section",
    el("h2", "Near to both"),
    el(
      "div.neighborlist",
      shared
        .slice(0, 24)
        .map(({ layer, channel }) =>
          el(
            "div.neighbor",
            { style: { "--model": colourOfModel(layer.model) } },
            card(layer, channel, { lines: [whereabouts(layer, channel, one.layer)] }),
          ),
        ),
    ),
  );
}
