// #/l/<model>/<layer> : every channel of a layer, in an order of choice; drawn only where one looks.

const ORDERS = { index: "Index", cluster: "Family", score: "Score", rank: "Self-rank" };
const SIZES = { small: 52, medium: 84, large: 132 };

function layerPage(layer, grid, query) {
  const set = setByKey(layer, query.set);
  const measures = Object.keys(grid.clusters);
  const orders = Object.entries(ORDERS).filter(([key]) =>
    key === "cluster" ? measures.length : key === "index" || grid.sets[set]?.[key].some((one) => one !== null),
  );
  const order = orders.some(([key]) => key === query.order) ? query.order : "index";
  const size = Object.hasOwn(SIZES, query.size) ? query.size : layer.list.length > 600 ? "small" : "medium";
  const measure = measures.includes(query.measure) ? query.measure : measures[0];
  const turned = query.turned === "1" && (order === "score" || order === "rank");
  const change = (changes) => {
    changeQuery(changes);
    render();
  };
  return el(
    "div.page.layer",
    { style: { "--model": colourOfModel(layer.model) } },
    el(
      "header.title",
      el("h1", el("span.dot"), layer.name),
      el("p.lead", count(layer.list.length, "channel"), el("span.quiet", ` of ${layer.model.name}`)),
      el("div.headcounts", stateBar(layer.features, layer.list.length)),
      layerLinks(layer),
    ),
    el(
      "div.tools",
      choices("Order", orders, order, (value) => change({ order: value })),
      (order === "score" || order === "rank") &&
        choices(
          "From",
          [
            ["", "the best"],
            ["1", "the weakest"],
          ],
          turned ? "1" : "",
          (value) => change({ turned: value }),
        ),
      order === "cluster" &&
        choices(
          "by",
          measures.map((name) => [name, name]),
          measure,
          (value) => change({ measure: value }),
        ),
      choices("Images", setOptions(layer), layer.sets[set]?.key, (value) => change({ set: value })),
      choices(
        "Size",
        Object.keys(SIZES).map((key) => [key, key[0].toUpperCase()]),
        size,
        (value) => change({ size: value }),
      ),
      el(
        "span.quiet.small",
        order === "cluster"
          ? term("family", "What is a family?")
          : order === "rank"
            ? term("rank", "What is self-rank?")
            : order === "score"
              ? term("score", "What is the score?")
              : null,
      ),
    ),
    makeWall(layer, grid, { set, order, measure, turned, size: SIZES[size], at: layer.place.get(Number(query.at)) }),
    failuresOf(layer, grid),
    matchesLinks(layer),
    foot([
      [
        "The same as a table",
        sql(
          `select channel, metric, target, seed, recipe, status, score, self_rank from features where model = '${sqlText(layer.model.name)}' and layer = '${sqlText(layer.name)}' order by channel`,
        ),
      ],
    ]),
  );
}

function layerLinks(layer) {
  const { layers } = layer.model;
  const at = layers.indexOf(layer);
  const [before, after] = [layers[at - 1], layers[at + 1]];
  const keep = keptQuery("order", "size", "set");
  return el(
    "nav.links",
    { "aria-label": "Around this layer" },
    before && el("a", { href: routes.layer(before, keep), rel: "prev" }, `\u2190 ${before.name}`),
    after && el("a", { href: routes.layer(after, keep), rel: "next" }, `${after.name} \u2192`),
    layer.measures.length > 0 && el("a", { href: routes.matrix(layer) }, "Similarity matrix"),
    layer.model.map && el("a", { href: routes.map(layer.model, { layer: layer.name }) }, "On the map"),
  );
}

/** Positions in the order asked for, with the heading that begins each family. */
function ordered(layer, grid, { set, order, measure, turned }) {
  const places = layer.list.map((_, place) => place);
  const mine = grid.sets[set];
  if (order === "cluster" && measure) {
    const { order: channels, family } = grid.clusters[measure];
    const inside = new Set(channels);
    const sizes = family.reduce((sum, one) => sum.set(one, (sum.get(one) || 0) + 1), new Map());
    const groups = [];
    channels.forEach((channel, k) => {
      if (!k || family[k] !== family[k - 1])
        groups.push({
          title: sizes.size > 1 ? `Family ${family[k] + 1}` : "One family",
          note: count(sizes.get(family[k]), "feature"),
          places: [],
        });
      groups.at(-1).places.push(layer.place.get(channel));
    });
    const rest = places.filter((place) => !inside.has(layer.list[place]));
    return rest.length ? [...groups, { title: "Not compared", note: "dead, or not made yet", places: rest }] : groups;
  }
  if (order === "score") places.sort((a, b) => (mine.score[b] ?? -Infinity) - (mine.score[a] ?? -Infinity) || a - b);
  if (order === "rank")
    places.sort(
      (a, b) =>
        (mine.rank[a] ?? Infinity) - (mine.rank[b] ?? Infinity) || (mine.z[b] ?? -Infinity) - (mine.z[a] ?? -Infinity) || a - b,
    );
  return [{ places: turned ? places.reverse() : places }];
}

function failuresOf(layer, grid) {
  if (!grid.failures.length) return null;
  const rows = grid.failures.map(([channel, set, type, message, attempts]) => [
    el("a", { href: routes.feature(layer, channel) }, channel),
    set >= 0 ? setLabel(layer, set) : "\u2013",
    [el("strong", type), ` ${message || ""}`],
    attempts,
  ]);
  return el("section", el("h2", "Failed"), table(["channel", "images", "error", "tries"], rows));
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
  return el(
    "section",
    el("h2", "The layers most like it"),
    el(
      "ul.linklist",
      best.map(([, j, cka]) =>
        el(
          "li",
          el("a", { href: routes.compare(nameOf(layer), nameOf(whole.layers[j])) }, nameOf(whole.layers[j])),
          el("span.quiet.small", " ", term("cka", "CKA"), ` ${number(cka)}`),
        ),
      ),
    ),
  );
}
