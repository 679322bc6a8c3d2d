// Two layers beside each other: how alike they are as wholes, and which of their features match.

function layersPage(one, other, grid) {
  const row = (whole.data.relations.atlas || []).find(([i, j]) => i === one.number && j === other.number);
  const found = one.model === other.model ? null : grid.matches[other.model.name];
  const facts = row
    ? [
        ["cka", row[2], null],
        ["best_match", row[4], row[5]],
        ["mutual_share", row[6], row[7]],
      ]
    : [];
  return el(
    "div.page.compare",
    el(
      "header.title",
      el("h1", "Two layers"),
      el(
        "p.lead",
        [one, other].map((layer, k) => [
          k ? " and " : "",
          el("a", { href: routes.layer(layer), style: { "--model": colourOfModel(layer.model) } }, el("span.dot"), nameOf(layer)),
        ]),
      ),
      el("nav.links", depthLinks(one, other), el("a", { href: routes.compare(nameOf(other), nameOf(one)) }, "Swap")),
    ),
    facts.length > 0 &&
      el(
        "dl.facts.large",
        facts.map(([key, value, baseline]) =>
          el(
            "div",
            el("dt", term(key)),
            el("dd", number(value), baseline !== null && el("span.quiet.small", ` baseline ${number(baseline)}`)),
          ),
        ),
      ),
    found ? pairsWall(one, other, found) : twoWalls(one, other),
    foot([
      ["How alike they are", sql(`select * from layers where ${isLayer("a", one)} and ${isLayer("b", other)}`)],
      ...(one.model === other.model
        ? []
        : [["Best matches of the whole networks", command("match", shellWord(one.model.name), shellWord(other.model.name))]]),
    ]),
  );
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
function bestMatches(one, other, { layers, rows }) {
  return rows
    .flatMap((row, place) => {
      if (!row || layers[row[0]] !== other.name || !other.place.has(row[1])) return [];
      const [, channel, score, baseline, mutual] = row;
      return [{ from: one.list[place], channel, score, baseline, mutual }];
    })
    .sort((a, b) => b.score - b.baseline - (a.score - a.baseline));
}

/** Features that are paired one to one, although the best match of each stands elsewhere. */
function partners(one, other, { layers, rows }) {
  return rows
    .flatMap((row, place) => {
      if (!row || row[5] < 0 || layers[row[5]] !== other.name || !other.place.has(row[6]) || layers[row[0]] === other.name)
        return [];
      return [{ from: one.list[place], channel: row[6], score: row[7], baseline: null, mutual: 0 }];
    })
    .sort((a, b) => b.score - a.score);
}

function pairsWall(one, other, found) {
  const [best, rest] = [bestMatches(one, other, found), partners(one, other, found)];
  const draw = (pair) =>
    el(
      "div.couple",
      el(
        "div.two",
        [
          [one, pair.from],
          [other, pair.channel],
        ].map(([layer, channel]) => card(layer, channel, { lines: [el("span.caption", String(channel))] })),
      ),
      scoreBar(pair.score, pair.baseline, 1),
      el(
        "span.marks",
        pair.mutual ? el("abbr", { title: "mutual: each is the other\u2019s best match" }, "\u21c4") : null,
        el(
          "a.quiet",
          { href: routes.compare(addressOf(one, pair.from), addressOf(other, pair.channel)), title: "Compare the two" },
          "vs",
        ),
      ),
    );
  const above = best.filter((pair) => pair.score > pair.baseline).length;
  const sides = ["Left ", nameOf(one), ", right ", nameOf(other), "."];
  return [
    el(
      "section",
      el("h2", "Best matches"),
      best.length
        ? [
            el(
              "p.quiet.small.measureline",
              `Of ${count(one.list.length, "feature")}, ${best.length} have their best match in all of ${other.model.name} here, by `,
              term("profile", "profile"),
              `; ${above} above the `,
              term("baseline", "rotated baseline"),
              ". The largest ",
              term("excess", "excess"),
              " first. ",
              sides,
            ),
            shortened(best, draw, { shown: 60, kind: "couples" }),
          ]
        : el("p.empty", `No feature of ${nameOf(one)} has its best match in ${nameOf(other)}.`),
    ),
    rest.length > 0 &&
      el(
        "section",
        el("h2", "Paired one to one"),
        el(
          "p.quiet.small.measureline",
          `${count(rest.length, "feature")} whose best match stands in another layer, with its `,
          term("partner", "partner"),
          " in this one. ",
          sides,
        ),
        shortened(rest, draw, { shown: 60, kind: "couples" }),
      ),
    !best.length && !rest.length && twoWalls(one, other),
  ];
}

function twoWalls(one, other) {
  return el(
    "div.pair2",
    [one, other].map((layer) =>
      el(
        "section",
        el("h3", el("a", { href: routes.layer(layer) }, nameOf(layer))),
        shortened(layer.list, (channel) => card(layer, channel, { lines: [el("span.caption", String(channel))] }), {
          shown: 96,
          kind: "smallwall",
        }),
      ),
    ),
  );
}
