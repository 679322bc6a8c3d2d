// What keys do, and the help that tells of them and of the words.

const KEYS = [
  ["/", "search"],
  ["r", "a random feature"],
  ["\u2190 \u2192", "the feature or pair before and after, in the list or order that one came from; on a wall, along it"],
  ["\u2191 Esc", "from a feature or pair back to its place in that list, on the wall or on the map"],
  [", .", "the layer before, the layer after (also [ ])"],
  ["b", "bookmark the feature"],
  ["m", "the next set of images (metric, seed, target)"],
  ["h", "the first page"],
  ["t", "dark, light, as the system"],
  ["?", "this help"],
  ["Esc", "close what is open; leave a field"],
];

function openHelp() {
  const close = el("button.plainbutton", { type: "button", onclick: closeOverlay }, "Close");
  const random = el(
    "button.plainbutton",
    {
      type: "button",
      onclick: () => {
        closeOverlay();
        goRandom();
      },
    },
    "A random feature",
  );
  const light = el(
    "button.plainbutton",
    {
      type: "button",
      onclick: () => {
        nextTheme();
        light.textContent = `Colours: ${themeWord()}`;
      },
    },
    `Colours: ${themeWord()}`,
  );
  overlay(
    "Keys and words",
    el(
      "div.help",
      el("div.helpbar", random, light, close),
      el("h2", "Keys"),
      el(
        "dl.keys",
        KEYS.map(([key, what]) =>
          el(
            "div",
            el(
              "dt",
              key.split(" ").map((one) => el("kbd", one)),
            ),
            el("dd", what),
          ),
        ),
      ),
      el("h2", "Words"),
      el(
        "dl.words",
        Object.values(WORDS).map(([title, meaning]) => el("div", el("dt", title), el("dd", meaning))),
      ),
    ),
  );
}

const follow = (kind) => document.querySelector(`#main a[rel='${kind}']`);

function onKey(event) {
  // a bracket is typed with AltGr on many keyboards, which a browser reports as Ctrl and Alt
  const modified = (event.ctrlKey || event.altKey) && !event.getModifierState?.("AltGraph");
  if (modified || event.metaKey || event.defaultPrevented || event.target.closest?.("input, select, textarea")) return;
  if (overlaid()) return;
  if (event.key === "Escape" && explained) return explain(null);
  const { page, parts, query } = parseRoute(location.hash);
  if (walker?.(event.key)) {
    event.preventDefault();
    return;
  }
  const feature = page === "f" ? parseAddress(`${parts[0]}/${parts[1]}:${parts[2]}`) : null;
  const walks = feature || page === "compare";
  const layer = feature?.layer || (["l", "matrix"].includes(page) ? layerOf(parts[0], parts[1]) : null);
  const acts = {
    "/": () => openSearch(),
    r: goRandom,
    "?": openHelp,
    t: nextTheme,
    h: () => go(routes.home()),
    b: () => feature && document.querySelector(".mark")?.click(),
    ArrowLeft: () => walks && follow("prev")?.click(),
    ArrowRight: () => walks && follow("next")?.click(),
    ArrowUp: () => (feature ? go(wallOf(layer, feature.channel, selecting(query))) : walks && follow("up")?.click()),
    Escape: () => acts.ArrowUp(),
    ",": () => layer && besideLayer(layer, -1, page),
    ".": () => layer && besideLayer(layer, 1, page),
    "[": () => layer && besideLayer(layer, -1, page),
    "]": () => layer && besideLayer(layer, 1, page),
    m: () => layer && nextSet(layer, query),
  };
  if (!acts[event.key]) return;
  if (event.key.startsWith("Arrow") && (!walks || (event.key === "ArrowUp" && scrollY > 0))) return; // the window scrolls
  acts[event.key]();
  event.preventDefault();
}

function besideLayer(layer, step, page) {
  const next = layer.model.layers[layer.model.layers.indexOf(layer) + step];
  if (next)
    go(
      page === "matrix" && next.measures.length
        ? routes.matrix(next)
        : routes.layer(next, keptQuery("order", "turned", "measure", "size", "set", "state", "own")),
    );
}

function nextSet(layer, query) {
  if (layer.sets.length < 2) return;
  changeQuery({ set: layer.sets[(setByKey(layer, query.set) + 1) % layer.sets.length].key });
  render();
}
