// The frame: the bar at the top, the routes, the keys, and the page that is shown.

let pageEnd = new AbortController(); // what a page listens to ends with it
let walker = null; // what arrows do on the page, if it has an opinion
let atShown = [];

/** Do something once the page stands in the document, when sizes are known. */
const whenShown = (act) => atShown.push(act);

// of each page what is to be loaded, and how it is drawn once that is there
const PAGES = {
  "": () => [null, homePage],
  l([model, name], query) {
    const layer = known(layerOf(model, name), `${model}/${name}`);
    return [gridOf(layer), (grid) => layerPage(layer, grid, query)];
  },
  f([model, name, number], query) {
    const { layer, channel } = known(parseAddress(`${model}/${name}:${number}`), `${model}/${name}:${number}`);
    return [Promise.all([details(layer, channel), gridOf(layer)]), ([told]) => featurePage(layer, channel, told, query)];
  },
  map([name], query) {
    const model = known(modelOf(name), name);
    return [model.map ? load(`maps/${model.path}`) : null, (held) => mapPage(model, held, query)];
  },
  matrix([model, name], query) {
    const layer = known(layerOf(model, name), `${model}/${name}`);
    const measure = measureOf(layer, query);
    return [measure ? load(`layers/${layer.path}/matrix-${measure}`) : null, (held) => matrixPage(layer, held, query)];
  },
  compare: (_, query) => compared(query),
  bookmarks: () => [null, bookmarksPage],
};

class Unknown extends Error {}
function known(found, name) {
  if (!found) throw new Unknown(name);
  return found;
}

/** Draw the page of the route, scrolled to `y`; a newer route wins over one that still loads. */
let [turn, waiting] = [0, 0];
async function render({ y = scrollY } = {}) {
  const mine = (turn += 1);
  const { page, parts, query } = parseRoute(location.hash);
  clearTimeout(waiting);
  waiting = setTimeout(() => document.body.classList.add("waiting"), 150);
  let draw;
  try {
    const [loading, drawing] = known(Object.hasOwn(PAGES, page) ? PAGES[page] : null, location.hash)(parts, query);
    const data = await loading;
    draw = () => drawing(data);
  } catch (error) {
    draw = () => { throw error; };
  }
  if (mine === turn) show(draw, y);
}

/** Take the old page away with all that it listens to, and put the new one there; what had the keyboard has it again. */
function show(draw, y) {
  clearTimeout(waiting);
  document.body.classList.remove("waiting");
  pageEnd.abort();
  pageEnd = new AbortController();
  [walker, atShown] = [null, []];
  hidePeek();
  explain(null);
  closeOverlay();
  const main = document.getElementById("main");
  const key = document.activeElement?.dataset.key;
  main.replaceChildren(attempt(draw));
  Object.assign(main.dataset, { drawn: turn, route: location.hash || "#/" });
  const heading = main.querySelector("h1")?.textContent || "";
  document.title = heading === whole.data.name ? `${heading} \u2013 Atlas` : `${heading} \u2013 ${whole.data.name}`;
  drawBar();
  for (const act of atShown.splice(0)) act();
  scrollTo(0, y);
  focusKey(key);
}

function attempt(draw) {
  try {
    return draw();
  } catch (error) {
    return mistake(error);
  }
}

/** The control of that name has the keyboard again after it was drawn anew. */
function focusKey(key) {
  if (key) document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

function mistake(error) {
  const unknown = error instanceof Unknown;
  if (!unknown) console.warn(error);
  const words = error.message.split(/[\s/:#]+/).filter(Boolean);
  const near = unknown ? [words, words.slice(0, -1), words.slice(-2), words.slice(0, 1)].map((some) => (some.length ? find(some.join(" ")) : [])).find((found) => found.length)?.slice(0, 8) || [] : [];
  return el("div.page", {}, el("header.title", {}, el("h1", {}, unknown ? "Not in this atlas" : "This page cannot be shown"),
    el("p.lead", {}, unknown ? ["There is no ", el("strong", {}, error.message), "."] : `${error.message}. atlas site writes what is missing.`)),
  near.length > 0 && el("ul.linklist", {}, near.map((one) => el("li", {}, el("a", { href: one.channel === undefined ? routes.layer(one.layer) : routes.feature(one.layer, one.channel) },
    one.channel === undefined ? nameOf(one.layer) : addressOf(one.layer, one.channel))))),
  el("p", {}, el("a", { href: routes.home() }, "To the first page")));
}

// the bar

function drawBar() {
  const { page, parts } = parseRoute(location.hash);
  const crumbs = [];
  if (["l", "f", "matrix"].includes(page) && layerOf(parts[0], parts[1])) {
    const layer = layerOf(parts[0], parts[1]);
    crumbs.push(el("a", { href: routes.map(layer.model), class: layer.model.map ? null : "plain" }, layer.model.name), el("a", { href: routes.layer(layer) }, layer.name));
    if (!layer.model.map) crumbs[0] = el("span", {}, layer.model.name);
    if (page === "f") crumbs.push(el("span", {}, parts[2]));
    if (page === "matrix") crumbs.push(el("span", {}, "matrix"));
  } else if (page === "map") crumbs.push(el("span", {}, parts[0]), el("span", {}, "map"));
  else if (page) crumbs.push(el("span", {}, page));
  const held = marks().length;
  document.getElementById("bar").replaceChildren(
    el("nav.crumbs", { "aria-label": "Where you are" }, el("a.brand", { href: routes.home() }, whole.data.name), crumbs.map((one) => [el("span.slash", { "aria-hidden": "true" }, "/"), one])),
    el("div.actions", {},
      el("button.searchbutton", { type: "button", onclick: openSearch, "aria-label": "Search" }, el("span", {}, "Search"), el("kbd", {}, "/")),
      el("button.plainbutton", { type: "button", onclick: goRandom, title: "A random feature (r)" }, "Random"),
      el("a.plainbutton", { href: routes.bookmarks(), title: "Bookmarks", "aria-label": "Bookmarks" }, el("span.wide", {}, "Bookmarks"), el("span.narrow", {}, "\u2606"), held ? ` ${held}` : ""),
      el("button.plainbutton", { type: "button", "data-key": "theme", onclick: nextTheme, title: "Dark, light, or as the system (t)" }, themeWord()),
      el("button.plainbutton", { type: "button", onclick: openHelp, title: "Keys and words (?)", "aria-label": "Help" }, "?")));
}

/** A feature that has an image which shows something, each as likely as the others. */
function goRandom() {
  const total = whole.layers.reduce((sum, layer) => sum + layer.features.ok, 0);
  if (!total) return;
  let at = Math.floor(Math.random() * total);
  const layer = whole.layers.find((one) => (at -= one.features.ok) < 0);
  const live = layer.list.filter((_, place) => layer.state[place] === "o");
  go(routes.feature(layer, live[at + layer.features.ok]));
}

// dark and light

const THEMES = ["", "dark", "light"]; // "": as the system
const theme = () => (THEMES.includes(stored("atlas theme", "")) ? stored("atlas theme", "") : "");
const dark = matchMedia("(prefers-color-scheme: dark)");
function applyTheme() {
  document.documentElement.dataset.theme = theme() || (dark.matches ? "dark" : "light");
  dispatchEvent(new Event("themechange")); // what is drawn on a canvas is drawn anew
}
const themeWord = () => ({ dark: "Dark", light: "Light" })[theme()] || "Auto";
function nextTheme() {
  store("atlas theme", THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
  applyTheme();
  drawBar();
  focusKey("theme");
}

// keys

const KEYS = [["/", "search"], ["r", "a random feature"], ["\u2190 \u2192", "the channel before, the channel after; on a layer, walk the wall"], ["\u2191", "from a feature to its layer"],
  ["[ ]", "the layer before, the layer after"], ["b", "bookmark the feature"], ["m", "the next set of images (metric, seed, target)"], ["h", "the first page"], ["t", "dark, light, as the system"], ["?", "this help"], ["Esc", "close"]];

function openHelp() {
  const close = el("button.plainbutton", { type: "button", onclick: closeOverlay }, "Close");
  const random = el("button.plainbutton", { type: "button", onclick: () => { closeOverlay(); goRandom(); } }, "A random feature");
  const light = el("button.plainbutton", { type: "button", onclick: () => { nextTheme(); light.textContent = `Colours: ${themeWord()}`; } }, `Colours: ${themeWord()}`);
  overlay("Keys and words", el("div.help", {}, el("div.helpbar", {}, random, light, close), el("h2", {}, "Keys"),
    el("dl.keys", {}, KEYS.map(([key, what]) => el("div", {}, el("dt", {}, key.split(" ").map((one) => el("kbd", {}, one))), el("dd", {}, what)))),
    el("h2", {}, "Words"), el("dl.words", {}, Object.values(WORDS).map(([title, meaning]) => el("div", {}, el("dt", {}, title), el("dd", {}, meaning))))));
}

const follow = (kind) => document.querySelector(`#main a[rel='${kind}']`);

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea")) return;
  if (event.key === "Escape") return explain(null);
  if (overlaid()) return;
  const { page, parts, query } = parseRoute(location.hash);
  if (walker?.(event.key)) {
    event.preventDefault();
    return;
  }
  const feature = page === "f" ? parseAddress(`${parts[0]}/${parts[1]}:${parts[2]}`) : null;
  const layer = feature?.layer || (["l", "matrix"].includes(page) ? layerOf(parts[0], parts[1]) : null);
  const acts = {
    "/": openSearch, r: goRandom, "?": openHelp, t: nextTheme, h: () => go(routes.home()),
    b: () => feature && document.querySelector(".mark")?.click(),
    ArrowLeft: () => feature && follow("prev")?.click(), ArrowRight: () => feature && follow("next")?.click(),
    ArrowUp: () => feature && go(routes.layer(layer, { ...keptQuery("set"), at: feature.channel })),
    "[": () => layer && besideLayer(layer, -1, page), "]": () => layer && besideLayer(layer, 1, page),
    m: () => layer && nextSet(layer, query),
  };
  if (!acts[event.key]) return;
  if (event.key.startsWith("Arrow") && (!feature || (event.key === "ArrowUp" && scrollY > 0))) return; // the window scrolls
  acts[event.key]();
  event.preventDefault();
}

function besideLayer(layer, step, page) {
  const next = layer.model.layers[layer.model.layers.indexOf(layer) + step];
  if (next) go(page === "matrix" && next.measures.length ? routes.matrix(next) : routes.layer(next, keptQuery("order", "size", "set")));
}

function nextSet(layer, query) {
  if (layer.sets.length < 2) return;
  changeQuery({ set: layer.sets[(setByKey(layer, query.set) + 1) % layer.sets.length].key });
  render();
}

// the start

const scrolled = new Map(); // visit → how far down it was left
let visits = Date.now();

/** How far down a page is to be shown: at its top, or where it was left, for whoever goes back. */
function arrive() {
  if (history.state?.visit === undefined) history.replaceState({ visit: (visits += 1) }, "");
  return scrolled.get(history.state.visit) ?? 0;
}

async function start() {
  applyTheme();
  dark.addEventListener("change", applyTheme);
  try {
    takeOverview(await load("atlas"));
  } catch (error) {
    document.getElementById("main").replaceChildren(el("div.page", {}, el("h1", {}, "This atlas has no site yet"), el("p", {}, `${error.message}; atlas site writes it.`)));
    return;
  }
  history.scrollRestoration = "manual";
  addEventListener("hashchange", () => render({ y: arrive() }));
  addEventListener("scroll", () => scrolled.set(history.state?.visit, scrollY), { passive: true });
  addEventListener("keydown", onKey);
  await render({ y: arrive() });
}
start();
