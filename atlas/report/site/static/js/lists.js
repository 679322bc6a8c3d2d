// #/lists and #/lists/<kind> : what is asked of the whole atlas at once. Lists of single features are walls (#/all).

const PAIR_LISTS = {
  pairs: [
    "Closest pairs",
    "pairs similar nearest duplicates",
    "Two features of a layer, each of which drives the other, by how much that is beyond chance.",
    "sym",
  ],
  "pairs-across": [
    "Closest pairs across layers",
    "pairs similar depth copies",
    "Features of different layers of a network that answer to the same pictures, by how much that is beyond chance.",
    "profile",
  ],
  matches: [
    "Best matches across networks",
    "match networks models",
    "Each the other\u2019s best match in another network, by how much that is beyond chance.",
    "profile",
  ],
};
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
      ([kind, [title, words, what]]) =>
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

function listPage(kind, held) {
  const rows = held.rows
    .map(([l, channel, m, other, score, baseline, mutual]) => ({
      layer: layerOf(...held.layers[l]),
      channel,
      to: m < 0 ? null : layerOf(...held.layers[m]),
      other,
      score,
      baseline,
      mutual,
    }))
    .filter(({ layer, channel, to, other }) => layer?.place.has(channel) && (!to || to.place.has(other)));
  return kind === "hubs" ? hubsPage(rows) : pairsPage(kind, rows);
}

function pairsPage(kind, rows) {
  const [title, , what, measure] = PAIR_LISTS[kind];
  const most = Math.max(1, ...rows.map((row) => row.score));
  return html`<div.page.lists>
    <header.title><h1>${title}</h1><p.lead.quiet>${what}</p><p.quiet.small>${term(measure, `What is \u201c${MEASURE_WORDS[measure]}\u201d?`)} ${term("baseline", "What is chance?")}</p>${listNav(kind)}</header>
    ${shortened(rows, (row) => couple(row, most), { shown: 60, kind: "couples" })}
    ${foot([["As a table", command("pairs", ...(kind === "pairs" ? [] : ["--scope", kind === "matches" ? "other" : "model"]))]])}
  </div>`;
}

function hubsPage(rows) {
  const draw = ({ layer, channel, score }) => html`<div.neighbor style=${{ "--model": colourOfModel(layer.model) }}>
    ${card(layer, channel, { lines: [whereabouts(layer, channel, {})] })}<span.caption.quiet>in ${count(score, "list")}</span></div>`;
  return html`<div.page.lists>
    <header.title><h1>Hubs</h1><p.lead.quiet>Features among the ten nearest of many others of their network. ${term("hub", "Is that good?")}</p>${listNav("hubs")}</header>
    <div.neighborlist>${shortened(rows, draw, { shown: 120 })}</div>
    ${foot([])}
  </div>`;
}

/** Two features side by side, where each is, and how alike. */
function couple({ layer, channel, to, other, score, baseline, mutual }, most) {
  const side = (one, which) =>
    card(one, which, {
      lines: [
        html`<span.caption>${to !== layer && html`<span.quiet>${one.name}</span>`} <strong>${String(which)}</strong> ${named(one, which)}</span>`,
      ],
    });
  return html`<div.couple>
    <div.two>${side(layer, channel)}${side(to, other)}</div>
    ${to === layer && html`<span.caption.quiet>${nameOf(layer)}</span>`}
    ${scoreBar({ score, baseline }, most)}
    ${baseline !== null && baseline !== undefined && html`<span.caption.quiet>${number(score - baseline)} beyond chance</span>`}
    <a.versus href=${routes.compare(addressOf(layer, channel), addressOf(to, other))} title=${mutual ? "each stands in the other\u2019s list" : "one stands in the other\u2019s list"}>compare</a>
  </div>`;
}
