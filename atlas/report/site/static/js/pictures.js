// A feature as a picture: its thumbnail out of a sprite sheet, its image, and the card that floats where one points.

const PICTURED = ["ok", "dead"]; // states that have an image
const STATE_WORDS = { dead: "dead", failed: "failed", left: "not made yet", none: "no image" };

/** A thumbnail: a cell of a sheet as a background, so that a page of thousands needs a handful of files. */
function thumb(layer, channel, { set, state } = {}) {
  const chosen = set ?? standing(layer, channel);
  const kind = state ?? stateOf(layer, channel);
  const made = el(`span.thumb.${kind}`, { role: "img", "aria-label": describe(layer, channel, kind) });
  if (!PICTURED.includes(kind)) {
    made.append(el("span.word", STATE_WORDS[kind] || "no image"));
    return made;
  }
  const { source, column, row } = spriteOf(layer, channel, chosen);
  const last = whole.data.sheet - 1;
  made.style.backgroundImage = `url("${source}")`;
  made.style.backgroundSize = `${100 * (last + 1)}%`;
  made.style.backgroundPosition = `${(100 * column) / last}% ${(100 * row) / last}%`;
  if (kind === "dead") made.append(el("span.word", "dead"));
  return made;
}

/** A feature in words: its address, its name, and its state where that is not ok. */
const describe = (layer, channel, kind) =>
  [addressOf(layer, channel), calledOf(layer, channel), kind && kind !== "ok" && STATE_WORDS[kind]].filter(Boolean).join(", ");

/** The name of a feature, where it has one. */
const named = (layer, channel) => calledOf(layer, channel) && el("strong.called", calledOf(layer, channel));

/** A thumbnail that leads to its feature. lines: what stands below it. */
function card(layer, channel, { set, state, lines = [], query, classes = "" } = {}) {
  const link = el(
    `a.card${classes}`,
    { href: routes.feature(layer, channel, query) },
    thumb(layer, channel, { set, state }),
    ...lines,
  );
  peeking(link, layer, channel, set, state);
  return link;
}

/** The image itself, at its own size. */
function fullImage(layer, channel, set, properties) {
  return el("img.full", {
    src: imageOf(layer, channel, set),
    alt: `Image that drives ${describe(layer, channel)} (${setLabel(layer, set)})`,
    loading: "lazy",
    decoding: "async",
    ...properties,
  });
}

// the card that floats beside the pointer

const peek = el("div.note.peek", { hidden: true, "aria-hidden": "true" });

/** Show some features and words beside a place of the window. shown: [{layer, channel, set}] */
function showPeek(x, y, shown, lines) {
  peek.replaceChildren(
    el(
      "div.peeked",
      shown.map(({ layer, channel, set, state }) =>
        el(
          "figure",
          !PICTURED.includes(state ?? stateOf(layer, channel))
            ? thumb(layer, channel, { state })
            : fullImage(layer, channel, set ?? standing(layer, channel), { loading: "eager" }),
          el("figcaption", el("span.quiet", layer.name), ` : ${channel} `, named(layer, channel)),
        ),
      ),
    ),
    ...lines,
  );
  peek.hidden = false;
  if (!peek.isConnected) document.body.append(peek);
  const { offsetWidth: wide, offsetHeight: high } = peek;
  peek.style.left = `${x + 18 + wide > innerWidth ? Math.max(4, x - wide - 14) : x + 18}px`;
  peek.style.top = `${Math.max(4, Math.min(y + 14, innerHeight - high - 6))}px`;
}

const hidePeek = () => {
  peek.hidden = true;
};

const pointing = matchMedia("(hover: hover)");
function peeking(link, layer, channel, set, state) {
  let timer = 0;
  link.addEventListener("pointerenter", (event) => {
    if (!pointing.matches || event.pointerType === "touch") return;
    timer = setTimeout(
      () =>
        link.isConnected &&
        showPeek(event.clientX, event.clientY, [{ layer, channel, set, state }], peekLines(layer, channel, set, state)),
      220,
    );
  });
  link.addEventListener("pointerleave", () => {
    clearTimeout(timer);
    hidePeek();
  });
}

/** What is known of a feature without loading anything more. */
function peekLines(layer, channel, set, state) {
  const grid = arrived.get(`layers/${layer.path}/layer`);
  const mine = grid?.sets[set ?? standing(layer, channel)];
  const place = layer.place.get(channel);
  const lines = [];
  const kind = state ?? stateOf(layer, channel);
  if (kind !== "ok") lines.push(el("p.quiet", STATE_WORDS[kind]));
  if (mine && mine.score[place] !== null) {
    const rank = mine.rank[place];
    lines.push(
      el(
        "p.quiet",
        `score ${number(mine.score[place])}`,
        rank ? ` \u00b7 its own image is ${rank === 1 ? "the best" : `${ordinal(rank)}`}` : "",
      ),
    );
    const winner = rank > 1 ? grid.winners[channel] : undefined;
    if (winner !== undefined)
      lines.push(el("p.quiet", `that of ${layer.name}:${winner} drives it most `, named(layer, winner)));
  }
  return lines;
}
