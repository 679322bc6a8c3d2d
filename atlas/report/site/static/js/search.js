// "/" finds layers and features: words match names, also of classes; a last number is a channel (googlenet 4a 12).

const MOST = 40; // results shown

/** Layers and features that a text means, best first. */
function find(text) {
  const exact = parseAddress(text.trim());
  if (exact) return [exact];
  const words = text
    .toLowerCase()
    .split(/[\s/:]+/)
    .filter(Boolean);
  if (!words.length) return whole.layers.slice(0, MOST).map((layer) => ({ layer }));
  const last = words.at(-1);
  const channel = /^\d+$/.test(last) ? Number(last) : null;
  const found = [];
  for (const layer of whole.layers) {
    const name = nameOf(layer).toLowerCase();
    const all = closeness(name, words);
    if (all > 0) found.push({ layer, rank: all });
    for (const [named, called] of Object.entries(layer.names)) {
      const meant = called.toLowerCase();
      const both = words.some((word) => meant.includes(word)) ? closeness(`${meant} ${name}`, words) : 0;
      if (both > 0 && layer.place.has(Number(named))) found.push({ layer, channel: Number(named), rank: both + 0.5 }); // before layers that hold the word
    }
    if (channel !== null && layer.place.has(channel)) {
      const others = closeness(name, words.slice(0, -1));
      if (others > 0 || words.length === 1) found.push({ layer, channel, rank: others + (words.length > 1 ? 0.5 : 0.1) });
    }
  }
  return found.sort((a, b) => b.rank - a.rank || a.layer.number - b.layer.number).slice(0, MOST);
}

/** 0 when a word is not in the name; more for whole parts of it than for pieces. */
function closeness(name, words) {
  const parts = name.split(/[^a-z0-9]+/);
  let sum = words.length ? 0 : 0.2;
  for (const word of words) {
    if (!name.includes(word)) return 0;
    sum += parts.includes(word) ? 1 : parts.some((one) => one.startsWith(word) || one.endsWith(word)) ? 0.7 : 0.4;
  }
  return sum;
}

function openSearch() {
  const list = el("ul.found", { role: "listbox", id: "found", "aria-label": "Found" });
  const field = el("input", {
    type: "search",
    placeholder: "a layer, a channel, a name: googlenet 4a 12",
    "aria-label": "Search",
    autocomplete: "off",
    spellcheck: "false",
    role: "combobox",
    "aria-controls": "found",
    "aria-expanded": "true",
  });
  overlay(
    "Search",
    el(
      "div.finder",
      el("div.findbar", field, el("button.plainbutton", { type: "button", onclick: closeOverlay }, "Close")),
      list,
    ),
  );
  let [results, at] = [[], 0];
  const mark = () => {
    [...list.children].forEach((item, k) => item.setAttribute("aria-selected", String(k === at)));
    field.setAttribute("aria-activedescendant", results.length ? `found${at}` : "");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const take = (one) => {
    closeOverlay();
    go(one.channel === undefined ? routes.layer(one.layer) : routes.feature(one.layer, one.channel));
  };
  const draw = () => {
    results = find(field.value);
    at = 0;
    list.replaceChildren(
      ...results.map((one, k) =>
        el(
          "li",
          { role: "option", id: `found${k}`, onclick: () => take(one) },
          foundThumb(one),
          el(
            "span",
            el("span.quiet", `${one.layer.model.name} / `),
            one.layer.name,
            one.channel === undefined
              ? el("span.quiet.small", ` ${count(one.layer.list.length, "channel")}`)
              : [el("strong", ` : ${one.channel} `), named(one.layer, one.channel)],
          ),
        ),
      ),
    );
    if (!results.length) list.append(el("li.quiet", "Nothing is called that."));
    mark();
  };
  field.addEventListener("input", draw);
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      at = Math.max(0, Math.min(results.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)));
      mark();
      event.preventDefault();
    } else if (event.key === "Enter" && results[at]) take(results[at]);
    else if (event.key === "Escape") {
      // the browser would empty the field, and close nothing
      closeOverlay();
      event.preventDefault();
    }
  });
  draw();
  field.focus();
}

const foundThumb = ({ layer, channel }) =>
  channel !== undefined ? thumb(layer, channel) : layer.samples.length ? thumb(layer, layer.samples[0]) : el("span.thumb.none");

/** A sheet over the page, which holds the keyboard until it is closed: by Esc, or by a click beside it. */
function overlay(label, body) {
  closeOverlay();
  const sheet = el(
    "dialog.overlay",
    {
      "aria-label": label,
      onclick: (event) => event.target === sheet && closeOverlay(),
      oncancel: closeOverlay,
      onclose: () => sheet.remove(),
    },
    body,
  );
  document.body.append(sheet);
  sheet.showModal();
  return sheet;
}

const overlaid = () => document.querySelector("dialog.overlay");
function closeOverlay() {
  const sheet = overlaid();
  sheet?.close();
  sheet?.remove();
}
