// #/f/<model>/<layer>/<channel> : all that is known of one feature.

function featurePage(layer, channel, known, query) {
  const sets = known.images.map((image) => image.set);
  const chosen =
    sets.includes(setByKey(layer, query.set)) && query.set
      ? setByKey(layer, query.set)
      : sets.includes(standing(layer, channel))
        ? standing(layer, channel)
        : sets[0];
  const address = addressOf(layer, channel);
  return el(
    "div.page.feature",
    { style: { "--model": colourOfModel(layer.model) } },
    el(
      "header.title",
      el("h1", el("span.dot"), el("a", { href: routes.layer(layer) }, layer.name), el("span.colon", ":"), String(channel)),
      el(
        "p.lead",
        named(layer, channel),
        calledOf(layer, channel) && el("span.quiet", ", "),
        el("span.quiet", "a feature of "),
        layer.model.name,
      ),
      walkLinks(layer, channel),
    ),
    el(
      `div.spread${known.images.length > 2 ? ".many" : known.images.length < 2 ? ".single" : ""}`,
      el(
        "section.images",
        { "aria-label": "Its images" },
        known.images.length ? imagesOf(layer, channel, known, chosen) : noImage(layer, channel),
      ),
      el(
        "div.beside",
        examplesSection(known),
        el("section.spectra", { "aria-label": "Activation spectrum" }, spectraOf(layer, channel, known, chosen)),
      ),
    ),
    neighborsSection(layer, channel, known, query),
    matchesSection(layer, channel),
    known.images.length > 0 && madeSection(layer, known),
    foot([
      ["Its rows and a sheet of it", command("show", shellWord(address))],
      ["In Python", `atlas.open(${JSON.stringify(whole.data.root)}).feature(${JSON.stringify(address)})`],
    ]),
  );
}

function walkLinks(layer, channel) {
  const at = layer.place.get(channel);
  const [before, after] = [layer.list[at - 1], layer.list[at + 1]];
  const keep = keptQuery("set", "measure", "probe");
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
  return el(
    "nav.links",
    { "aria-label": "Around this feature" },
    before !== undefined && el("a", { href: routes.feature(layer, before, keep), rel: "prev" }, `\u2190 ${before}`),
    after !== undefined && el("a", { href: routes.feature(layer, after, keep), rel: "next" }, `${after} \u2192`),
    el("a", { href: routes.compare(address, null) }, "Compare with \u2026"),
    copyable(address),
    mark,
  );
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

function imagesOf(layer, channel, known, chosen) {
  const grid = arrived.get(`layers/${layer.path}/layer`);
  const place = layer.place.get(channel);
  const figures = known.images.map((image) => {
    const mine = grid.sets[image.set];
    const facts = [["score", number(image.score)]];
    if (mine.rank[place] !== null) facts.push(["rank", mine.rank[place]]);
    if (mine.z[place] !== null) facts.push(["z", number(mine.z[place], 1)]);
    return el(
      `figure.${image.set === chosen ? "chosen" : "other"}`,
      el(
        "a.frame",
        { href: imageOf(layer, channel, image.set), target: "_blank", title: "The image file", style: { "--wide": image.width } },
        fullImage(layer, channel, image.set, { width: image.width, height: image.height, loading: "eager" }),
      ),
      el(
        "figcaption",
        el(
          "p",
          el(
            "a.setname",
            {
              href: routes.feature(layer, channel, { ...keptQuery("measure", "probe"), set: layer.sets[image.set].key }),
              title: "Show what this image does",
            },
            el("strong", setLabel(layer, image.set)),
          ),
          image.status === "dead" && [" ", term("dead", "dead")],
        ),
        el(
          "dl.facts",
          facts.map(([key, value]) => el("div", el("dt", term(key, key === "rank" ? "self-rank" : key)), el("dd", value))),
        ),
        image.trace && traceChart(image.trace),
      ),
    );
  });
  return el("div.figures", figures);
}

/** What the chosen image does to the whole layer. */
function spectraOf(layer, channel, known, chosen) {
  const image = known.images.find((one) => one.set === chosen && one.spectrum) || known.images.find((one) => one.spectrum);
  if (!image) return null;
  const rivals = rivalsOf(image, channel);
  const options = known.images.filter((one) => one.spectrum).map((one) => [layer.sets[one.set].key, setLabel(layer, one.set)]);
  return [
    el("h2", term("spectrum", "Activation spectrum")),
    picker("On the image", options, layer.sets[image.set].key, (key) => {
      changeQuery({ set: key });
      render();
    }),
    spectrumChart(layer, channel, image),
    rivals.length > 0 && el("p.label", "Rivals on this image"),
    el(
      "div.rivals",
      rivals.map(([other, value]) => {
        const said = el("span.caption", `${other} `, el("span.quiet", number(value)), " ", named(layer, other));
        return layer.place.has(other) ? card(layer, other, { lines: [said] }) : said;
      }),
    ),
  ];
}

/** Its match in each other network, beside what a rotated copy would offer. */
function matchesSection(layer, channel) {
  const grid = arrived.get(`layers/${layer.path}/layer`);
  const place = layer.place.get(channel);
  const found = Object.entries(grid.matches)
    .map(([model, { layers, rows }]) => [model, layers, rows[place]])
    .filter(([, , row]) => row);
  if (!found.length) return null;
  return el(
    "section",
    el("h2", "Its match in other networks"),
    el(
      "div.matches",
      found.map(([model, layers, [l, other, score, baseline, mutual, partnerLayer, partner, partnerScore]]) => {
        const to = layerOf(model, layers[l]);
        const mate = partnerLayer >= 0 ? layerOf(model, layers[partnerLayer]) : null;
        return [
          to?.place.has(other) &&
            neighborCard({ layer: to, channel: other, score, baseline, mutual, most: 1 }, layer, channel, "best match"),
          mate?.place.has(partner) &&
            neighborCard(
              { layer: mate, channel: partner, score: partnerScore, baseline: null, mutual: 0, most: 1 },
              layer,
              channel,
              el("span", term("partner", "partner")),
            ),
        ];
      }),
    ),
  );
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
  return el(
    "details.made",
    el("summary", "How it was made"),
    table(
      ["", ...known.images.map((image) => setLabel(layer, image.set))],
      rows.map(([name, value]) => [name, ...known.images.map(value)]),
      { rowHeads: true },
    ),
  );
}
