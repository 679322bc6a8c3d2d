// Bookmarks stay in this browser; they can be saved as a file.

// all files are one place to a browser: two atlases of one name are told apart by where they lie
const markKey = () => `atlas bookmarks ${whole.data.name} ${whole.data.root}`;

function stored(key, fallback) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? fallback;
  } catch {
    return fallback;
  }
}
function store(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // a browser that keeps nothing still shows the page
  }
}

const marks = () => {
  const found = stored(markKey(), []);
  return Array.isArray(found) ? found.filter((one) => typeof one === "string") : [];
};
const isMarked = (address) => marks().includes(address);

/** Add or take away; whether it is marked now. */
function toggleMark(address) {
  const now = marks();
  const kept = now.filter((one) => one !== address);
  store(markKey(), kept.length === now.length ? [...now, address] : kept);
  drawBar();
  return kept.length === now.length;
}

function bookmarksPage(query) {
  seekInList(query.at);
  const held = marks().map((address) => [address, parseAddress(address)]);
  const known = held.filter(([, found]) => found);
  const gone = held.filter(([, found]) => !found);
  const rows = known.map(([address, { layer, channel }]) => ({
    feature: address,
    model: layer.model.name,
    layer: layer.name,
    channel,
  }));
  return el(
    "div.page.bookmarks",
    el(
      "header.title",
      el("h1", "Bookmarks"),
      el("p.lead.quiet", "Kept in this browser, for this atlas."),
      known.length > 0 &&
        el(
          "nav.links",
          saveLink("bookmarks.json", JSON.stringify(rows, null, 2), "Save as JSON"),
          saveLink(
            "bookmarks.csv",
            ["feature,model,layer,channel", ...rows.map((row) => Object.values(row).map(quotedCell).join(","))].join("\n"),
            "Save as CSV",
          ),
          copyable(rows.map((row) => row.feature).join("\n"), "Copy the addresses"),
          known.length > 1 && el("a", { href: routes.compare(known.at(-2)[0], known.at(-1)[0]) }, "Compare the last two"),
        ),
    ),
    known.length
      ? el(
          "div.markedgrid",
          known.map(([address, { layer, channel }], k) =>
            el(
              "div.marked",
              trailCard(layer, channel, k, {
                lines: [
                  el("span.caption", el("strong", `${layer.name} : ${channel}`), " ", named(layer, channel)),
                  el("span.caption.quiet", layer.model.name),
                ],
              }),
              el(
                "button.plainbutton",
                {
                  type: "button",
                  "aria-label": `Remove ${address}`,
                  onclick: () => {
                    toggleMark(address);
                    redraw({ at: null });
                  },
                  "data-key": `remove ${address}`,
                },
                "remove",
              ),
            ),
          ),
        )
      : el("p.empty", "None yet: mark a feature on its page, by its button or by b."),
    gone.length > 0 && el("p.quiet.small", `Not in this atlas: ${gone.map(([address]) => address).join(", ")}`),
    foot(
      rows.length
        ? [
            [
              "Their rows",
              sql(`select * from features where feature in (${rows.map((row) => `'${sqlText(row.feature)}'`).join(", ")})`),
            ],
          ]
        : [],
    ),
  );
}

const quotedCell = (value) => (/[",\n]/.test(value) ? `"${String(value).replace(/"/g, '""')}"` : value);
const saveLink = (name, text, label) => el("a", { href: `data:text/plain;charset=utf-8,${part(text)}`, download: name }, label);
