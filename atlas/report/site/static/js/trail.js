// The list or the map that a feature, or a pair, was reached from: whoever walks goes on along it, and back to it. In a route `from`
// is the list's own route, `n` the place there of the feature, or of the first one of the pair; on a map the place is mapPlace's.

const trailAt = (from, n) => ({ from, n: String(n) });
/** The route of the list that is shown, as its features carry it. */
const ownTrail = () => withQuery(pathNow().slice(2), { ...parseRoute(location.hash).query, at: null });

/** What a map calls the place of a feature. */
const mapPlace = ({ layer, channel }) => `${layer.name}:${channel}`;

/**
 * {title, items, paired, place}: the features of the list that a query names, in the order that they stand in, and what it calls
 * the place of one, if that is not its number; null without one.
 */
async function trailOf({ from }) {
  if (!from) return null;
  const { page, parts, query } = parseRoute(`#/${from}`);
  if (page === "bookmarks") return { title: "Bookmarks", items: marks().map(parseAddress).filter(Boolean) };
  if (page === "lists" && whole.data.lists[parts[0]]) {
    const held = await load(`lists/${parts[0]}`);
    const rows = listRows(held, kindOf(held, query));
    const title = parts[0] === "hubs" ? "Hubs" : PAIR_LISTS[parts[0]].title;
    return parts[0] === "hubs" ? { title, items: rows } : { title, items: rows.flatMap(twoOf), paired: true };
  }
  if (page === "map" && modelOf(parts[0])) {
    const held = Object.values(hasMap(modelOf(parts[0])) ? await load(`maps/${modelOf(parts[0]).path}`) : {});
    const there = new Set(held.flatMap((one) => one.channel.map((channel, k) => `${one.layers[one.layer[k]]}:${channel}`)));
    const all = modelOf(parts[0]).layers.flatMap((layer) => layer.list.map((channel) => ({ layer, channel })));
    const items = all.filter((item) => there.has(mapPlace(item)));
    return { title: `Map of ${parts[0]}`, items, place: mapPlace };
  }
  const [one, other] = page === "compare" ? [query.a, query.b].map((name) => whole.byAddress.get(name)) : [];
  if (!one || !other) return null;
  const { best, rest } = layerPairs(one, other, ...(await layersData(one, other)));
  return { title: `Pairs of ${one.name} and ${other.name}`, items: [...best, ...rest].flatMap(twoOf), paired: true };
}

const twoOf = ({ layer, channel, to, other }) => [
  { layer, channel },
  { layer: to, channel: other },
];

/** Before and after a feature in its trail, each with its place there; null where it is not in it any more. */
function alongTrail({ items, place = (_, n) => n }, layer, channel, query) {
  const is = (item) => item?.layer === layer && item.channel === channel;
  const at = is(items[query.n]) ? Number(query.n) : items.findIndex(is);
  const item = (n) => items[n] && { ...items[n], n: place(items[n], n) };
  return at < 0 ? null : { before: item(at - 1), after: item(at + 1), at, total: items.length };
}

/** Where in its list one is, as the link that leads back there says it. */
const trailWords = ({ title, items, paired }, at) =>
  `${paired ? `Pair ${(at >> 1) + 1} of ${items.length >> 1}` : `${at + 1} of ${items.length}`}, ${title}`;

const backToTrail = ({ from, n }) => (n === undefined ? `#/${from}` : `#/${from}${from.includes("?") ? "&" : "?"}at=${part(n)}`);

/** The pair before and after, and the way back to the list, on the page of a pair that was reached from there. */
function pairLinks(trail, query) {
  if (!trail?.paired || !query.from) return null;
  const at = Number(query.n) - (Number(query.n) % 2);
  const link = (n, rel, text) => {
    const [a, b] = trail.items.slice(Math.max(0, n), n + 2);
    return n >= 0 && b && html`<a rel=${rel} href=${routes.compare(addressOf(a.layer, a.channel), addressOf(b.layer, b.channel), trailAt(query.from, n))}>${text}</a>`;
  };
  return [
    link(at - 2, "prev", "\u2190 pair before"),
    link(at + 2, "next", "next pair \u2192"),
    html`<a rel="up" href=${backToTrail(query)}>${trailWords(trail, at)}</a>`,
  ];
}

/** Whoever comes back to a list finds the feature that it was left by: in view, marked, and with the keyboard. */
function seekInList(n) {
  if (n === undefined) return;
  whenShown(() => {
    const link = main().querySelector(`[data-n="${CSS.escape(n)}"]`);
    if (!link) return;
    link.setAttribute("aria-current", "true");
    requestAnimationFrame(() => {
      link.scrollIntoView({ block: "center" });
      link.focus({ preventScroll: true });
    });
  });
}

/** A card of a list: its link carries the list and the place in it. */
function trailCard(layer, channel, n, options) {
  const link = card(layer, channel, { ...options, query: trailAt(ownTrail(), n) });
  link.dataset.n = n;
  return link;
}
