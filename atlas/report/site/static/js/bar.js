// The bar at the top, and dark and light.

// Whether pages come from `atlas serve`, which alone answers what a picture drives.
let asking = false;
async function seekServer() {
  if (!["127.0.0.1", "localhost", "[::1]"].includes(location.hostname) || !location.protocol.startsWith("http")) return;
  try {
    asking = (await fetch("/api/ask")).ok;
  } catch {
    return; // another server, or none any more
  }
  drawBar();
}

function drawBar() {
  const { page, parts } = parseRoute(location.hash);
  const crumbs = [];
  if (["l", "f", "matrix"].includes(page) && layerOf(parts[0], parts[1])) {
    const layer = layerOf(parts[0], parts[1]);
    crumbs.push(
      hasMap(layer.model) ? el("a", { href: routes.map(layer.model) }, layer.model.name) : el("span", layer.model.name),
      el("a", { href: routes.layer(layer) }, layer.name),
    );
    if (page === "f") crumbs.push(el("span", parts[2]));
    if (page === "matrix") crumbs.push(el("span", "matrix"));
  } else if (page === "map") crumbs.push(el("span", parts[0]), el("span", "map"));
  else if (page === "lists") crumbs.push(el("a", { href: routes.lists() }, "lists"), parts[0] && el("span", parts[0]));
  else if (page === "all") crumbs.push(el("a", { href: routes.lists() }, "lists"), el("span", "all"));
  else if (page) crumbs.push(el("span", page));
  const maps = whole.data.models.filter(hasMap);
  const held = marks().length;
  document.getElementById("bar").replaceChildren(
    el(
      "nav.crumbs",
      { "aria-label": "Where you are" },
      el("a.brand", { href: routes.home() }, whole.data.name),
      crumbs.filter(Boolean).map((one) => [el("span.slash", { "aria-hidden": "true" }, "/"), one]),
    ),
    el(
      "div.actions",
      el(
        "button.searchbutton",
        { type: "button", onclick: () => openSearch(), "aria-label": "Search" },
        el("span", "Search"),
        el("kbd", "/"),
      ),
      asking && el("a.plainbutton", { href: "/ask", title: "What a picture of your own drives" }, "Ask"),
      maps.length > 0 && el("a.plainbutton.wide", { href: routes.map(maps[0]) }, "Map"),
      el("a.plainbutton", { href: routes.lists() }, "Lists"),
      el("button.plainbutton", { type: "button", onclick: goRandom, title: "A random feature (r)" }, "Random"),
      el(
        "a.plainbutton",
        { href: routes.bookmarks(), title: "Bookmarks", "aria-label": "Bookmarks" },
        el("span.wide", "Bookmarks"),
        el("span.narrow", "\u2606"),
        held ? ` ${held}` : "",
      ),
      el(
        "button.plainbutton",
        { type: "button", "data-key": "theme", onclick: nextTheme, title: "Dark, light, or as the system (t)" },
        themeWord(),
      ),
      el("button.plainbutton", { type: "button", onclick: openHelp, title: "Keys and words (?)", "aria-label": "Help" }, "?"),
    ),
  );
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
