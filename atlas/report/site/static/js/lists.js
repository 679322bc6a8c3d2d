// #/lists and #/lists/<kind> : what is asked of the whole atlas at once. Lists of single features are walls (#/all).

const PAIR_LISTS = {
  pairs: {
    title: "Closest pairs",
    words: "pairs similar nearest duplicates depth copies",
    what: "The two features most alike of all, and the next, wherever they stand: how far they answer to the same pictures beyond chance.",
  },
  matches: {
    title: "Best matches across networks",
    words: "match networks models",
    what: "Each the other\u2019s best match in another network, by how much that is beyond chance.",
  },
};
// which of the closest pairs: where the two stand
const APART = { "": "any two", layer: "of one layer", layers: "of two layers", networks: "of two networks" };
const apartOf = ({ layer, to }) => (layer === to ? "layer" : layer.model === to.model ? "layers" : "networks");
const totals = () => {
  const sum = (read) => whole.layers.reduce((all, layer) => all + read(layer), 0);
  return {
    dead: sum((one) => one.features.dead),
    failed: sum((one) => one.features.failed),
    left: sum((one) => one.features.left),
    loses: sum((one) => one.loses),
    all: sum((one) => one.list.length),
  };
};

/** All lists that have rows: title, words to find it by, number of rows, link, what it is. */
function listLinks() {
  const { lists } = whole.data;
  const { dead, failed, left, loses, all } = totals();
  const states = [
    ["dead", dead, "Dead", "dead channels", "Nothing that was tried drives these."],
    ["failed", failed, "Failed", "failed errors", "Images that could not be made, with the error."],
    ["left", left, "Not made yet", "missing left", "Asked for, and not made yet."],
  ];
  return [
    ...Object.entries(PAIR_LISTS).map(
      ([kind, { title, words, what }]) =>
        lists[kind] && { key: kind, title, words, what, n: lists[kind], href: routes.lists(kind) },
    ),
    lists.hubs && {
      key: "hubs",
      title: "Hubs",
      words: "hubs near everything",
      what: "Features that stand among the ten nearest of many others.",
      n: lists.hubs,
      href: routes.lists("hubs"),
    },
    loses && {
      key: "all loses",
      title: "Images that lose",
      words: "losing images not best self-rank",
      what: "Another feature\u2019s image drives these more than their own does.",
      n: loses,
      href: routes.all({ own: "loses", order: "rank", turned: "1" }),
    },
    ...states.map(
      ([state, n, title, words, what]) => n && { key: `all ${state}`, title, words, what, n, href: routes.all({ state }) },
    ),
    {
      key: "all ",
      title: "All features",
      words: "everything list filter",
      what: "One wall of all layers, to be narrowed down.",
      n: all,
      href: routes.all(),
    },
  ].filter(Boolean);
}

const listNav = (current) =>
  html`<nav.links aria-label="Lists">${listLinks().map(
    ({ key, title, n, href }) =>
      html`<a href=${href} aria-current=${key === current && "page"}>${title} <span.quiet>${n.toLocaleString("en")}</span></a>`,
  )}</nav>`;

/** Lists as a few lines: what each is, and how long. */
const listTable = () =>
  html`<ul.listlines>${listLinks().map(
    ({ title, n, href, what }) =>
      html`<li><a href=${href}><strong>${title}</strong> <span.number>${n.toLocaleString("en")}</span></a><span.quiet.small>${what}</span></li>`,
  )}</ul>`;

const listsPage = () =>
  html`<div.page.lists><header.title><h1>Lists</h1><p.lead.quiet>Of the whole atlas.</p></header>${listTable()}${foot([])}</div>`;

const listPage = (kind, held, query) =>
  kind === "hubs" ? hubsPage(listRows(held), held, query) : pairsPage(kind, held, query);

/** Which pairs of a list a query asks for: "" for all, as where the list has no such kinds. */
const kindOf = (held, { only }) => (Object.hasOwn(held.sql, only) ? only : "");

/** The rows of a list, of one kind or all. */
const listRows = (held, only = "") =>
  held.rows
    .map(([l, channel, m, other, score, baseline, mutual]) => ({
      layer: layerOf(...held.layers[l]),
      channel,
      to: m < 0 ? null : layerOf(...held.layers[m]),
      other,
      score,
      baseline,
      mutual,
    }))
    .filter(({ layer, channel, to, other }) => layer?.place.has(channel) && (!to || to.place.has(other)))
    .filter((row) => !only || apartOf(row) === only);

function pairsPage(kind, held, query) {
  const { title, what } = PAIR_LISTS[kind];
  const only = kindOf(held, query);
  const [all, rows] = [listRows(held), listRows(held, only)];
  const most = `At most ${held.most} ${kind === "pairs" ? "of each kind" : "of them"}.`;
  const kinds = Object.entries(APART).filter(([key]) => !key || all.some((row) => apartOf(row) === key));
  seekInList(query.at);
  return html`<div.page.lists>
    <header.title><h1>${title}</h1><p.lead.quiet>${what}</p><p.quiet.small>${most} ${term("profile", `What is \u201c${MEASURE_WORDS.profile}\u201d?`)} ${term("baseline", "What is chance?")}</p>${listNav(kind)}</header>
    ${kinds.length > 2 && html`<div.tools>${choices("Pairs", kinds, only, (key) => redraw({ only: key || null, at: null }))}</div>`}
    ${shortened(rows, (row, k) => couple(row, 1, 2 * k), { shown: 60, kind: "couples", at: query.at >> 1 })}
    ${foot([["As a table", sql(held.sql[only])]])}
  </div>`;
}

function hubsPage(rows, held, query) {
  seekInList(query.at);
  const draw = ({ layer, channel, score }, k) => html`<div.neighbor style=${{ "--model": colourOfModel(layer.model) }}>
    ${trailCard(layer, channel, k, { lines: [whereabouts(layer, channel, {})] })}<span.caption.quiet>in ${count(score, "list")}</span></div>`;
  return html`<div.page.lists>
    <header.title><h1>Hubs</h1><p.lead.quiet>Features among the ten nearest of many others of their network. ${term("hub", "Is that good?")}</p>${listNav("hubs")}</header>
    <div.neighborlist>${shortened(rows, draw, { shown: 120, at: query.at })}</div>
    ${foot([["As a table", sql(held.sql[""])]])}
  </div>`;
}

/** Two features side by side, where each is, and how alike; n: the place of the first in the list that is shown. */
function couple({ layer, channel, to, other, score, baseline, mutual }, most, n) {
  const side = (one, which, at) =>
    trailCard(one, which, at, {
      lines: [
        html`<span.caption>${to !== layer && html`<span.quiet>${one.name}</span>`} <strong>${String(which)}</strong> ${named(one, which)}</span>`,
      ],
    });
  return html`<div.couple>
    <div.two>${side(layer, channel, n)}${side(to, other, n + 1)}</div>
    ${to === layer && html`<span.caption.quiet>${nameOf(layer)}</span>`}
    ${scoreBar({ score, baseline }, most)}
    ${baseline !== null && baseline !== undefined && html`<span.caption.quiet>${number(score - baseline)} beyond chance</span>`}
    <a.versus href=${routes.compare(addressOf(layer, channel), addressOf(to, other), trailAt(ownTrail(), n))} title=${mutual ? "each stands in the other\u2019s list" : "one stands in the other\u2019s list"}>compare</a>
  </div>`;
}
