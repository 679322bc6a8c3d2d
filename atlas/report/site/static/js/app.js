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
    const others = query.of === "all" ? gridsOf(layersOf(query)) : [];
    return [
      Promise.all([details(layer, channel), gridOf(layer), others, trailOf(query)]),
      ([told, grid, grids, trail]) => featurePage(layer, channel, told, query.of === "all" ? grids : [grid], query, trail),
    ];
  },
  all(_, query) {
    const layers = layersOf(query);
    return [gridsOf(layers), (grids) => allPage(layers, grids, query)];
  },
  lists([kind], query) {
    if (!kind) return [null, listsPage];
    return [load(`lists/${known(whole.data.lists[kind] && kind, kind)}`), (held) => listPage(kind, held, query)];
  },
  map([name], query) {
    const model = known(modelOf(name), name);
    return [hasMap(model) ? load(`maps/${model.path}`) : null, (held) => mapPage(model, held, query)];
  },
  matrix([model, name], query) {
    const layer = known(layerOf(model, name), `${model}/${name}`);
    const measure = measureOf(layer, query);
    return [measure ? load(`layers/${layer.path}/matrix-${measure}`) : null, (held) => matrixPage(layer, held, query)];
  },
  compare: (_, query) => compared(query),
  bookmarks: (_, query) => [null, () => bookmarksPage(query)],
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
  const arriving = pageOf(main().dataset.route || "") !== pageOf(location.hash || "#/");
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
  if (mine === turn) show(draw, y, arriving);
}

/** Take the old page away with all that it listens to, and put the new one there; what had the keyboard has it again. */
function show(draw, y, arriving) {
  clearTimeout(waiting);
  document.body.classList.remove("waiting");
  pageEnd.abort();
  pageEnd = new AbortController();
  [walker, atShown] = [null, []];
  hidePeek();
  explain(null);
  closeOverlay();
  const field = keptField(document.activeElement);
  main().replaceChildren(attempt(draw));
  main().querySelector("header")?.append(...unknownWords());
  Object.assign(main().dataset, { drawn: turn, route: location.hash || "#/" });
  const heading = main().querySelector("h1")?.textContent || "";
  document.title = heading === whole.data.name ? `${heading} \u2013 Atlas` : `${heading} \u2013 ${whole.data.name}`;
  drawBar();
  for (const act of atShown.splice(0)) act();
  scrollTo(0, y);
  focusKey(field?.key, arriving ? {} : field); // what was typed is of the page that is left
  if (arriving) announce();
}

/** What of the query is left out, as no such value is known, and those that are. */
function unknownWords() {
  const { query, unknown } = parseRoute(location.hash);
  return Object.entries(unknown).map(([name, value]) => {
    const links = allowedWords(name, value).map(
      (word, k) => html`${k > 0 && ", "}<a href=${withQuery(pathNow(), { ...query, [name]: word })}>${word}</a>`,
    );
    return html`<p.small role="status"><strong>${name}=${value}</strong> is left out: ${name} may be ${links.length ? links : "a number"}.</p>`;
  });
}

const MOST_SAID = 6; // values, of more the nearest
function allowedWords(name, value) {
  const words = VALUES[name]?.() || [];
  const near = words.length > MOST_SAID ? nearestTexts(value, words) : words;
  return near.length ? near : words.slice(0, MOST_SAID);
}

const main = () => document.getElementById("main");
let begun = false;

/** Another page: it is told, and Tab begins at its heading. Not as the site is opened: then a browser begins at the top. */
function announce() {
  if (begun && !document.activeElement?.closest?.("dialog")) {
    if (!document.activeElement?.closest?.("#main")) {
      const heading = main().querySelector("h1");
      heading?.setAttribute("tabindex", "-1");
      heading?.focus({ preventScroll: true });
    }
    document.getElementById("told").textContent = document.title;
  }
  begun = true;
}

function attempt(draw) {
  try {
    return draw();
  } catch (error) {
    return mistake(error);
  }
}

/** What is to be the same in a control that is drawn anew: its name, and of a field what is typed and where. */
const keptField = (one) =>
  one?.dataset.key && { key: one.dataset.key, typed: one.value, at: one.tagName === "INPUT" ? one.selectionStart : null };

/** The control of that name has the keyboard again after it was drawn anew. */
function focusKey(key, { typed, at = null } = {}) {
  const control = key && document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  control?.focus({ preventScroll: true });
  if (!control || at === null) return;
  const later = control.value !== typed; // while the page was being drawn
  control.value = typed;
  control.setSelectionRange(at, at);
  if (later) control.dispatchEvent(new Event("input"));
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
              { href: linkTo(one) },
              one.title || (one.channel === undefined ? nameOf(one.layer) : addressOf(one.layer, one.channel)),
            ),
          ),
        ),
      ),
    el("nav.links", { "aria-label": "Elsewhere" }, el("a", { href: routes.home() }, "To the first page")),
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

/** Inside another page: no bar and no foot, and links open the whole site beside it. */
function embed() {
  document.documentElement.dataset.embed = "1";
  document.head.append(el("base", { target: "_blank" }));
}

async function start() {
  applyTheme();
  dark.addEventListener("change", applyTheme);
  try {
    takeOverview(await load("atlas"));
  } catch (error) {
    main().replaceChildren(
      el("div.page", el("h1", "This atlas has no site yet"), el("p", `${error.message}; atlas site writes it.`)),
    );
    return;
  }
  if (parseRoute(location.hash).query.embed) embed();
  history.scrollRestoration = "manual";
  addEventListener("hashchange", () => render({ y: arrive() }));
  addEventListener("scroll", () => scrolled.set(history.state?.visit, scrollY), { passive: true });
  addEventListener("keydown", onKey);
  await render({ y: arrive() });
  await seekServer();
}
start();
