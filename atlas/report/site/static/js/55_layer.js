// #/l/<model>/<layer> : every channel of a layer, in an order of choice; drawn only where one looks.

const ORDERS = { index: "Index", cluster: "Family", score: "Score", rank: "Self-rank" };
const SIZES = { small: 52, medium: 84, large: 132 };

function layerPage(layer, grid, query) {
  const set = setByKey(layer, query.set);
  const measures = Object.keys(grid.clusters);
  const orders = Object.entries(ORDERS).filter(([key]) => (key === "cluster" ? measures.length : key === "index" || grid.sets[set]?.[key].some((one) => one !== null)));
  const order = orders.some(([key]) => key === query.order) ? query.order : "index";
  const size = SIZES[query.size] ? query.size : layer.list.length > 600 ? "small" : "medium";
  const measure = measures.includes(query.measure) ? query.measure : measures[0];
  const change = (changes) => {
    changeQuery(changes);
    render();
  };
  const wall = layer.sets.length ? makeWall(layer, grid, { set, order, measure, size: SIZES[size] }) : el("p.empty", {}, "None of this layer\u2019s images is made yet.");
  return el("div.page.layer", { style: { "--model": colourOfModel(layer.model) } },
    el("header.title", {},
      el("h1", {}, el("span.dot"), layer.name),
      el("p.lead", {}, count(layer.list.length, "channel"), el("span.quiet", {}, ` of ${layer.model.name}`)),
      el("div.headcounts", {}, stateBar(layer.features, layer.list.length)),
      layerLinks(layer)),
    el("div.tools", {},
      choices("Order", orders, order, (value) => change({ order: value })),
      order === "cluster" && choices("by", measures.map((name) => [name, name]), measure, (value) => change({ measure: value })),
      setChooser(layer, set, (value) => change({ set: value })),
      choices("Size", Object.keys(SIZES).map((key) => [key, key[0].toUpperCase()]), size, (value) => change({ size: value })),
      el("span.quiet.small", {}, order === "cluster" ? term("family", "What is a family?") : order === "rank" ? term("rank", "What is self-rank?") : order === "score" ? term("score", "What is the score?") : null)),
    wall, failuresOf(layer, grid), matchesLinks(layer, grid),
    foot([["The same as a table", sql(`select channel, metric, status, score, self_rank from features where model = '${sqlText(layer.model.name)}' and layer = '${sqlText(layer.name)}' order by channel`)]]));
}

function setChooser(layer, set, choose) {
  const options = setOptions(layer);
  const chosen = layer.sets[set]?.key;
  return options.length <= 5 ? choices("Images", options, chosen, choose) : picker("Images", options, chosen, choose);
}

function layerLinks(layer) {
  const { layers } = layer.model;
  const at = layers.indexOf(layer);
  const [before, after] = [layers[at - 1], layers[at + 1]];
  const keep = keptQuery("order", "size", "set");
  return el("nav.links", { "aria-label": "Around this layer" },
    before && el("a", { href: routes.layer(before, keep), rel: "prev" }, `\u2190 ${before.name}`),
    after && el("a", { href: routes.layer(after, keep), rel: "next" }, `${after.name} \u2192`),
    layer.measures.length > 0 && el("a", { href: routes.matrix(layer) }, "Similarity matrix"),
    layer.model.map && el("a", { href: routes.map(layer.model, { layer: layer.name }) }, "On the map"));
}

/** Positions in the order asked for, with the heading that begins each family. */
function ordered(layer, grid, { set, order, measure }) {
  const places = layer.list.map((_, place) => place);
  const mine = grid.sets[set];
  if (order === "cluster" && measure) {
    const { order: channels, family } = grid.clusters[measure];
    const inside = new Set(channels);
    const sizes = family.reduce((sum, one) => sum.set(one, (sum.get(one) || 0) + 1), new Map());
    const groups = [];
    channels.forEach((channel, k) => {
      if (!k || family[k] !== family[k - 1]) groups.push({ title: sizes.size > 1 ? `Family ${family[k] + 1}` : "One family", note: count(sizes.get(family[k]), "feature"), places: [] });
      groups.at(-1).places.push(layer.place.get(channel));
    });
    const rest = places.filter((place) => !inside.has(layer.list[place]));
    return rest.length ? [...groups, { title: "Not compared", note: "dead, or not made yet", places: rest }] : groups;
  }
  if (order === "score") places.sort((a, b) => (mine.score[b] ?? -Infinity) - (mine.score[a] ?? -Infinity) || a - b);
  if (order === "rank") places.sort((a, b) => (mine.rank[a] ?? Infinity) - (mine.rank[b] ?? Infinity) || (mine.z[b] ?? -Infinity) - (mine.z[a] ?? -Infinity) || a - b);
  return [{ places }];
}

/** The wall of thumbnails: a box of the full height in which only the rows near the window exist. */
function makeWall(layer, grid, choice) {
  const groups = ordered(layer, grid, choice);
  const [gap, label, heading] = [choice.size < 60 ? 6 : 10, choice.size < 60 ? 15 : 20, 40];
  const box = el("div.wall", { role: "list", "aria-label": `Channels of ${nameOf(layer)}`, style: { "--cell": `${choice.size}px` } });
  const flat = groups.flatMap((group) => group.places);
  const drawn = new Map(); // row number → element
  let [rows, columns, left] = [[], 0, 0];
  let focused = 0;

  function layOut() {
    const wide = box.clientWidth;
    columns = Math.max(1, Math.floor((wide + gap) / (choice.size + gap)));
    left = 0;
    rows = [];
    let [top, start] = [0, 0];
    for (const group of groups) {
      if (group.title) {
        rows.push({ top, height: heading, group });
        top += heading;
      }
      for (let k = 0; k < group.places.length; k += columns) {
        const places = group.places.slice(k, k + columns);
        rows.push({ top, height: choice.size + label + gap, places, start: start + k });
        top += choice.size + label + gap;
      }
      start += group.places.length;
    }
    box.style.height = `${top}px`;
    for (const row of drawn.values()) row.remove();
    drawn.clear();
    show();
  }

  function show() {
    if (!box.isConnected) return;
    const from = -box.getBoundingClientRect().top - 500;
    const to = from + innerHeight + 1000;
    for (const [k, row] of drawn) {
      if (rows[k].top + rows[k].height < from || rows[k].top > to) {
        row.remove();
        drawn.delete(k);
      }
    }
    for (let k = firstAfter(from); k < rows.length && rows[k].top <= to; k += 1) {
      if (!drawn.has(k)) {
        const row = rows[k].group ? headingRow(rows[k]) : cellRow(rows[k]);
        drawn.set(k, row);
        box.append(row);
      }
    }
  }

  function firstAfter(y) {
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].top + rows[middle].height < y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  const headingRow = ({ top, group }) => el("div.wallhead", { style: { top: `${top}px` } }, el("strong", {}, group.title), el("span.quiet.small", {}, group.note));

  function cellRow({ top, places, start }) {
    return el("div.wallrow", { style: { top: `${top}px`, gap: `${gap}px` } }, places.map((place, k) => {
      const channel = layer.list[place];
      const state = STATES[grid.sets[choice.set].state[place]];
      const link = card(layer, channel, { set: choice.set, state, query: choice.set ? { set: layer.sets[choice.set].key } : {}, lines: [el("span.caption", {}, caption(channel, place))] });
      link.setAttribute("role", "listitem");
      link.dataset.at = start + k;
      link.tabIndex = start + k === focused ? 0 : -1;
      return link;
    }));
  }

  function caption(channel, place) {
    const mine = grid.sets[choice.set];
    if (choice.size < 60) return String(channel);
    if (choice.order === "score" && mine.score[place] !== null) return [`${channel} `, el("span.quiet", {}, number(mine.score[place]))];
    if (choice.order === "rank" && mine.rank[place] !== null) return [`${channel} `, el("span.quiet", {}, `#${mine.rank[place]}`)];
    return String(channel);
  }

  function focusOn(at) {
    focused = Math.max(0, Math.min(flat.length - 1, at));
    const row = rows.find((one) => one.places && one.start <= focused && focused < one.start + one.places.length);
    const y = row.top + box.getBoundingClientRect().top;
    if (y < 70 || y + row.height > innerHeight - 20) scrollBy({ top: y < 70 ? y - 90 : y + row.height - innerHeight + 60 });
    show();
    box.querySelectorAll("[tabindex='0']").forEach((one) => { one.tabIndex = -1; });
    const link = box.querySelector(`[data-at='${focused}']`);
    if (!link) return;
    link.tabIndex = 0;
    link.focus({ preventScroll: true });
  }

  /** The cell above or below, also across the break between families. */
  function beside(step) {
    const k = rows.findIndex((one) => one.places && one.start <= focused && focused < one.start + one.places.length);
    const column = focused - rows[k].start;
    let next = k + step;
    while (rows[next] && !rows[next].places) next += step;
    return rows[next] ? rows[next].start + Math.min(column, rows[next].places.length - 1) : focused;
  }

  box.addEventListener("focusin", (event) => {
    const at = event.target.dataset?.at;
    if (at !== undefined) focused = Number(at);
  });
  walker = (key) => {
    if (!box.isConnected) return false;
    const started = box.contains(document.activeElement);
    const moves = { ArrowRight: () => focused + 1, ArrowLeft: () => focused - 1, ArrowDown: () => beside(1), ArrowUp: () => beside(-1), Home: () => 0, End: () => flat.length - 1 };
    if (!moves[key] || (!started && (key === "Home" || key === "End"))) return false;
    focusOn(started ? moves[key]() : focused);
    return true;
  };
  whenShown(() => {
    layOut();
    addEventListener("scroll", show, { passive: true, signal: pageEnd.signal });
    addEventListener("resize", debounced(80, layOut), { signal: pageEnd.signal });
  });
  return box;
}

function failuresOf(layer, grid) {
  if (!grid.failures.length) return null;
  return el("section", {}, el("h2", {}, "Failed"),
    el("table.plain", {}, el("thead", {}, el("tr", {}, ["channel", "images", "error", "tries"].map((name) => el("th", {}, name)))),
      el("tbody", {}, grid.failures.map(([channel, set, type, message, attempts]) => el("tr", {},
        el("td", {}, el("a", { href: routes.feature(layer, channel) }, channel)), el("td", {}, set >= 0 ? setLabel(layer, set) : "\u2013"),
        el("td", {}, el("strong", {}, type), ` ${message || ""}`), el("td", {}, attempts))))));
}

/** The layers of other networks that this one is compared with best. */
function matchesLinks(layer, grid) {
  const others = Object.keys(grid.matches);
  const pairs = (whole.data.relations.atlas || []).filter(([i, j]) => i === layer.number && whole.layers[j].model !== layer.model);
  if (!others.length || !pairs.length) return null;
  const best = others.map((name) => pairs.filter(([, j]) => whole.layers[j].model.name === name).sort((a, b) => b[2] - a[2])[0]).filter(Boolean);
  return el("section", {}, el("h2", {}, "The same depth of other networks"),
    el("ul.linklist", {}, best.map((row) => {
      const other = whole.layers[row[1]];
      return el("li", {}, el("a", { href: routes.compare(nameOf(layer), nameOf(other)) }, nameOf(other)), el("span.quiet.small", {}, ` ${""}`, term("cka", "CKA"), ` ${number(row[2])}`));
    })));
}
