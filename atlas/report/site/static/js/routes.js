// Routes live in the hash, so that one link works on file:// and on a server: #/path?name=value.

const part = encodeURIComponent;
const withQuery = (path, query) => {
  const said = Object.entries(query || {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return said.length ? `${path}?${said.map(([name, value]) => `${name}=${part(value)}`).join("&")}` : path;
};

const routes = {
  home: () => "#/",
  layer: (layer, query) => withQuery(`#/l/${part(layer.model.name)}/${part(layer.name)}`, query),
  feature: (layer, channel, query) => withQuery(`#/f/${part(layer.model.name)}/${part(layer.name)}/${channel}`, query),
  all: (query) => withQuery("#/all", query),
  lists: (kind) => (kind ? `#/lists/${kind}` : "#/lists"),
  family: (layer, k) => withQuery(`#/l/${part(layer.model.name)}/${part(layer.name)}`, { order: "cluster", family: k + 1 }),
  map: (model, query) => withQuery(`#/map/${part(model.name)}`, query),
  matrix: (layer, query) => withQuery(`#/matrix/${part(layer.model.name)}/${part(layer.name)}`, query),
  compare: (a, b, query) => withQuery("#/compare", { a, b, ...query }),
  bookmarks: () => "#/bookmarks",
};

/** Of words of a query the values there are; of others any. */
const VALUES = {
  state: () => Object.values(STATES).filter((state) => state !== "none"),
  own: () => Object.keys(OWN).filter(Boolean),
  order: () => Object.keys(ORDERS),
  size: () => Object.keys(SIZES),
  only: () => Object.keys(APART).filter(Boolean),
  view: () => Object.keys(LOOKS),
  in: () => [...whole.data.models.map((model) => model.name), ...whole.layers.map(nameOf)],
};
const NUMBERS = ["low", "high"];
const isKnown = ([name, value]) =>
  !value || (NUMBERS.includes(name) ? Number.isFinite(Number(value)) : !Object.hasOwn(VALUES, name) || VALUES[name]().includes(value));

/** {page, parts, query, unknown} of a hash; unknown: words of the query whose value is none that there is. */
function parseRoute(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const safely = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const [page, ...parts] = path.split("/").map(safely);
  const pairs = (query || "")
    .split("&")
    .filter(Boolean)
    .map((pair) => pair.split("=").map(safely));
  const said = pairs.map(([name, value]) => [name, value ?? ""]);
  const unknown = Object.fromEntries(said.filter((one) => !isKnown(one)));
  return { page, parts, query: Object.fromEntries(said.filter(isKnown)), unknown };
}

/** What tells a page from others: its path, and which two it compares; the rest of a query is how it is shown. */
function pageOf(hash) {
  const { a, b } = parseRoute(hash).query;
  return withQuery(hash.split("?")[0], { a, b });
}

/** The route of the page that is shown, without its query. */
const pathNow = () => (location.hash || "#/").split("?")[0];

/** Change the query of the page that is shown, without a new entry in the history. */
function changeQuery(changes) {
  const { query } = parseRoute(location.hash);
  history.replaceState(history.state, "", withQuery(pathNow(), { ...query, ...changes }));
}

const go = (hash) => {
  location.hash = hash;
};

/** The same query on another page of the same kind: whoever walks keeps what was chosen. */
const keptQuery = (...names) => {
  const { query } = parseRoute(location.hash);
  return Object.fromEntries(names.filter((name) => query[name]).map((name) => [name, query[name]]));
};
