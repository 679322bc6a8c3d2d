// Which features are meant, in which order: the same for a wall and for whoever walks along it from feature to feature.

// the words of a route's query that a selection is made of; they go along from page to page
const SELECTING = ["of", "in", "order", "turned", "measure", "state", "own", "name", "low", "high", "from", "n"];
const ORDERS = { index: "Number", cluster: "Family", score: "Score", rank: "Own image" };
const OWN = { "": "any", best: "is its best", loses: "is not its best" };

const selecting = (query = parseRoute(location.hash).query) => pick(query, [...SELECTING, "set"]);
const pick = (query, names) => Object.fromEntries(names.filter((name) => query[name]).map((name) => [name, query[name]]));

/** The layers that a selection is about: `of=all` all of the atlas, or those of which `in` names one or a network. */
const layersOf = (query) =>
  query.in ? whole.layers.filter((one) => nameOf(one) === query.in || one.model.name === query.in) : whole.layers;

/** Groups of items {layer, place, set, state, score, rank, z, winner} as a query asks for them. grids: of each layer its layer.js. */
function selected(layers, grids, query) {
  const items = layers.flatMap((layer, k) => itemsOf(layer, grids[k], query));
  const kept = items.filter(filterOf(query));
  const order = orderOf(layers, grids, query);
  if (order === "cluster") return families(layers[0], grids[0], kept, query);
  if (order === "score") kept.sort((a, b) => (b.score ?? -Infinity) - (a.score ?? -Infinity));
  if (order === "rank")
    kept.sort((a, b) => (a.rank ?? Infinity) - (b.rank ?? Infinity) || (b.z ?? -Infinity) - (a.z ?? -Infinity));
  if (order === "index" && layers.length > 1) {
    const own = layers.map((layer) => ({ title: nameOf(layer), items: kept.filter((item) => item.layer === layer) }));
    return own.filter((group) => group.items.length).map((group) => ({ ...group, note: count(group.items.length, "feature") }));
  }
  return [{ items: query.turned && order !== "index" ? kept.reverse() : kept }];
}

function itemsOf(layer, grid, query) {
  const one = layer.sets.findIndex((set) => set.key === query.set);
  return layer.list.map((channel, place) => {
    const set = one >= 0 ? one : query.of === "all" ? standing(layer, channel) : 0;
    const mine = grid.sets[set];
    return {
      layer,
      channel,
      place,
      set,
      state: STATES[mine.state[place]],
      score: mine.score[place],
      rank: mine.rank[place],
      z: mine.z[place],
      winner: grid.winners[channel],
    };
  });
}

const bound = (text) => (text && Number.isFinite(Number(text)) ? Number(text) : null);

function filterOf({ state, own, name, low, high }) {
  const meant = meaningOf(name || "").is;
  const [from, to] = [low, high].map(bound);
  return (item) =>
    (!state || item.state === state) &&
    (own !== "best" || item.rank === 1) &&
    (own !== "loses" || item.rank > 1) &&
    (from === null || (item.score !== null && item.score >= from)) &&
    (to === null || (item.score !== null && item.score <= to)) &&
    meant(item.layer, item.channel);
}

/** The same as a query of the tables: a row for each feature that has a task. layer: the one that is shown; null for more. */
function selectionSql(query, layer = null) {
  const { state, own, name, low, high } = query;
  const set = layer && (layer.sets.find((one) => one.key === query.set) || layer.sets[0]);
  const [model, inside] = query.in ? [query.in, whole.byAddress.get(query.in)] : [];
  const where = [
    (layer || inside) && isLayer("", layer || inside),
    model && !inside && `model = '${sqlText(model)}'`,
    state && `state = '${sqlText(state)}'`,
    own && `self_rank ${own === "best" ? "=" : ">"} 1`,
    meaningOf(name || "").sql,
    bound(low) !== null && `score >= ${bound(low)}`,
    bound(high) !== null && `score <= ${bound(high)}`,
  ];
  const said = where.flat().filter(Boolean);
  const turned = (one, [down, up]) => `${one} ${query.turned ? `${up} nulls first` : `${down} nulls last`}`;
  const place = ["model", "layer_index", "layer", "channel"];
  const ties = place.map((one) => (query.turned ? `${one} desc` : one));
  const order = {
    score: turned("score", ["desc", "asc"]),
    rank: `${turned("self_rank", ["asc", "desc"])}, ${turned("self_z", ["desc", "asc"])}`,
  }[query.order];
  const columns = "feature, name, metric, target, seed, recipe, state, score, self_rank";
  const scores = "(select task, score, self_rank, self_z from features)";
  const rows = `tasks left join ${scores} using (task)`;
  return `select ${columns} from ${set && layer.sets.length > 1 ? ofSetSql(rows, layer, set) : standingSql(rows, layer ? [layer] : layersOf(query))}${said.length ? ` where ${said.join(" and ")}` : ""} order by ${(order ? [order, ...ties] : place).join(", ")}`;
}

const VARIANT_SQL = "nullif(regexp_extract(image, '-(v[0-9a-f]{6})[.]png$', 1), '')";

/** Of rows of tasks those that stand for their features, as SiteLayer.stands has it: of the first set with an image that is not dead, or else with any. */
function standingSql(rows, layers) {
  const said = (set) => [set.metric, set.target, set.seed, set.recipe, set.variant].filter((one) => one !== "").join(" ");
  const several = layers.filter((layer) => layer.sets.length > 1);
  if (!several.length) return rows;
  const orders = new Map(); // order of sets → the layers that have it
  for (const layer of several) {
    const order = layer.sets.map((set) => `'${sqlText(said(set))}'`).join(", ");
    orders.set(order, [...(orders.get(order) || []), layer]);
  }
  const [usual, ...others] = [...orders.keys()].sort((a, b) => orders.get(b).length - orders.get(a).length);
  const cases = others.map((order) => `when ${orders.get(order).map((layer) => isLayer("", layer)).join(" or ")} then [${order}]`);
  const order = cases.length ? `case ${cases.join(" ")} else [${usual}] end` : `[${usual}]`;
  return oneEach(rows, `list_position(${order}, concat_ws(' ', metric, target, seed, recipe, ${VARIANT_SQL}))`);
}

/** Of rows of tasks those of one set of a layer. Of two that were made by one request, a task without an image may be of either. */
function ofSetSql(rows, layer, set) {
  const same = ["metric", "target", "recipe", "seed"];
  const twins = layer.sets.filter((one) => same.every((key) => one[key] === set[key]));
  const where = [
    ...same.slice(0, 3).map((key) => `${key} = '${sqlText(set[key])}'`),
    `seed = ${set.seed}`,
    twins.length > 1 && `(image is null or coalesce(${VARIANT_SQL}, '') = '${set.variant}')`,
  ];
  return oneEach(`${rows} where ${where.filter(Boolean).join(" and ")}`);
}

/** A row for each feature: one with an image that is not dead, or with any, then by place, then by state. */
function oneEach(rows, place) {
  const best = ["state <> 'ok' or image is null", "image is null", place, "state"].filter(Boolean).join(", ");
  return `(from ${rows} qualify row_number() over (partition by feature order by ${best}) = 1)`;
}

/** The orders there are: by family only within a layer that was compared, by score and rank only where some are known. */
function ordersOf(layers, grids) {
  const known = (key) => grids.some((grid) => grid.sets.some((set) => set[key].some((one) => one !== null)));
  return Object.entries(ORDERS).filter(
    ([key]) => key === "index" || (key === "cluster" ? layers.length === 1 && Object.keys(grids[0].clusters).length : known(key)),
  );
}

const orderOf = (layers, grids, query) => (ordersOf(layers, grids).some(([key]) => key === query.order) ? query.order : "index");
const clusterOf = (grid, measure) => grid.clusters[measure] || Object.values(grid.clusters)[0];

/** A family is called after most of its members, where they have a name. */
const familyTitle = (name, k) => (name ? `Family ${k + 1}, mostly ${name}` : `Family ${k + 1}`);

function families(layer, grid, items, { measure }) {
  const { order, family, names } = clusterOf(grid, measure);
  const byChannel = new Map(items.map((item) => [item.channel, item]));
  const groups = new Map();
  order.forEach((channel, k) => {
    const item = byChannel.get(channel);
    if (!item) return;
    groups
      .set(family[k], groups.get(family[k]) || { title: familyTitle(names[family[k]], family[k]), family: family[k], items: [] })
      .get(family[k])
      .items.push(item);
  });
  const inside = new Set(order);
  const rest = items.filter((item) => !inside.has(item.channel));
  if (names.length === 1 && groups.size) Object.assign([...groups.values()][0], { title: "One family" });
  const all = [...groups.values()].map((group) => ({ ...group, note: count(group.items.length, "feature") }));
  return rest.length ? [...all, { title: "Not compared", note: "dead, or not made yet", items: rest }] : all;
}

/** What is loaded before a selection can be made. */
const gridsOf = (layers) => Promise.all(layers.map(gridOf));

/** Before and after a feature in the list or the selection that its page was reached by; and how many there are. */
function beside(layer, channel, grids, query, trail) {
  if (trail) return alongTrail(trail, layer, channel, query);
  const layers = query.of === "all" ? layersOf(query) : [layer];
  const items = selected(layers, grids, query).flatMap((group) => group.items);
  const at = items.findIndex((item) => item.layer === layer && item.channel === channel);
  return at < 0 ? null : { before: items[at - 1], after: items[at + 1], at, total: items.length };
}

/** The list or the wall that a feature was reached from, at its place there. */
function wallOf(layer, channel, query) {
  if (query.from) return backToTrail(query);
  return query.of === "all"
    ? routes.all({ ...query, at: addressOf(layer, channel) })
    : routes.layer(layer, { ...query, at: channel });
}
