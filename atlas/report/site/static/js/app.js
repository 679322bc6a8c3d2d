// The frame: the routes, and the page that is shown.

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
    draw = () => {
      throw error;
    };
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
  const near = unknown
    ? [words, words.slice(0, -1), words.slice(-2), words.slice(0, 1)]
        .map((some) => (some.length ? find(some.join(" ")) : []))
        .find((found) => found.length)
        ?.slice(0, 8) || []
    : [];
  return el(
    "div.page",
    el(
      "header.title",
      el("h1", unknown ? "Not in this atlas" : "This page cannot be shown"),
      el(
        "p.lead",
        unknown ? ["There is no ", el("strong", error.message), "."] : `${error.message}. atlas site writes what is missing.`,
      ),
    ),
    near.length > 0 &&
      el(
        "ul.linklist",
        near.map((one) =>
          el(
            "li",
            el(
              "a",
              { href: one.channel === undefined ? routes.layer(one.layer) : routes.feature(one.layer, one.channel) },
              one.channel === undefined ? nameOf(one.layer) : addressOf(one.layer, one.channel),
            ),
          ),
        ),
      ),
    el("p", el("a", { href: routes.home() }, "To the first page")),
  );
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
    document
      .getElementById("main")
      .replaceChildren(
        el("div.page", el("h1", "This atlas has no site yet"), el("p", `${error.message}; atlas site writes it.`)),
      );
    return;
  }
  history.scrollRestoration = "manual";
  addEventListener("hashchange", () => render({ y: arrive() }));
  addEventListener("scroll", () => scrolled.set(history.state?.visit, scrollY), { passive: true });
  addEventListener("keydown", onKey);
  await render({ y: arrive() });
  await seekServer();
}
start();
