// #/matrix/<model>/<layer> : how alike the features of a layer are, families side by side. One pixel of a small picture for each pair.

const LISTED = { families: 24, features: 12 }; // beside the matrix; the layer's page shows all

/** The measure asked for, where there is a matrix of it; undefined where there is none at all. */
const measureOf = (layer, query) => (layer.measures.includes(query.measure) ? query.measure : layer.measures[0]);

function matrixPage(layer, held, query) {
  const measure = measureOf(layer, query);
  const page = (...rest) => el("div.page.matrix", { style: { "--model": colourOfModel(layer.model) } }, ...rest);
  if (!measure) {
    return page(
      matrixTitle(layer, null, null),
      whole.data.probes.includes("atlas") ? el("p.empty", "No two features of this layer were compared.") : notCompared(),
      foot([]),
    );
  }
  const square = makeSquare(layer, measure, held);
  const where = `where model = '${sqlText(layer.model.name)}' and layer = '${sqlText(layer.name)}' and measure = '${sqlText(measure)}' and probe = 'atlas' order by place`;
  return page(
    matrixTitle(layer, measure, square),
    el(
      "div.tools",
      choices(
        "They",
        layer.measures.map((name) => [name, MEASURE_WORDS[name]]),
        measure,
        (value) => {
          changeQuery({ measure: value });
          render();
        },
      ),
      el(
        "span.quiet.small",
        "What is ",
        term(measure, `\u201c${MEASURE_WORDS[measure]}\u201d`),
        "? What is a ",
        term("family", "family"),
        "?",
      ),
    ),
    el(
      "div.matrixbody",
      el(
        "div.squareside",
        el("div.square", square.canvas, square.row, square.column),
        el("div.squarefoot", legend(square.shade, MEASURE_WORDS[measure], square.ends), square.zoomers),
        square.said,
      ),
      familyList(layer, measure, square),
    ),
    foot([["The order and the families", sql(`select channel, place, family from clusters ${where}`)]]),
  );
}

function matrixTitle(layer, measure, square) {
  const families = square?.families.length;
  return el(
    "header.title",
    el("h1", el("span.dot"), el("a", { href: routes.layer(layer) }, layer.name)),
    square &&
      el(
        "p.lead",
        count(square.n, "feature"),
        el("span.quiet", ` of ${layer.model.name}, each with each: ${families > 1 ? count(families, "family") : "one family"}`),
      ),
    el(
      "nav.links",
      { "aria-label": "Around this matrix" },
      [
        [-1, "prev"],
        [1, "next"],
      ].map(([step, rel]) => {
        const other = layer.model.layers[layer.model.layers.indexOf(layer) + step];
        return (
          other?.measures.length > 0 &&
          el(
            "a",
            { href: routes.matrix(other, keptQuery("measure")), rel },
            step < 0 ? `\u2190 ${other.name}` : `${other.name} \u2192`,
          )
        );
      }),
      el("a", { href: routes.layer(layer, measure ? { order: "cluster", measure } : {}) }, "The layer, by family"),
      hasMap(layer.model) && el("a", { href: routes.map(layer.model, { layer: layer.name }) }, "On the map"),
    ),
  );
}

/** The features of each family, as many as fit a line; pointing at one shows its place in the matrix. */
function familyList(layer, measure, square) {
  const big = square.families.filter(({ from, to }) => to - from > 1);
  const alone = square.families.length - big.length;
  const all = (text) => el("a", { href: routes.layer(layer, { order: "cluster", measure }) }, text);
  return el(
    "section.families",
    { "aria-label": "Families" },
    big.slice(0, LISTED.families).map((family) => {
      const { from, to, title } = family;
      const shown = square.channels.slice(from, to - from > LISTED.features + 1 ? from + LISTED.features : to);
      return el(
        "div.family",
        { onpointerenter: () => placeCross(square, family, family), onpointerleave: () => placeCross(square, null, null) },
        el(
          "h2.familyhead",
          square.families.length > 1 ? el("strong", title) : "All of one family",
          ` ${count(to - from, "feature")}${shown.length < to - from ? `, ${shown.length} shown` : ""}`,
        ),
        el(
          "div.members",
          shown.map((channel) => card(layer, channel)),
        ),
      );
    }),
    (alone > 0 || big.length > LISTED.families) &&
      el(
        "p.quiet.small",
        [
          big.length > LISTED.families && `${count(big.length - LISTED.families, "family")} more`,
          alone > 0 && `${count(alone, "feature")} alone`,
        ]
          .filter(Boolean)
          .join(", "),
        ": ",
        all("all of the layer by family"),
      ),
  );
}
