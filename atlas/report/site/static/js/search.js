// "/" finds layers, features, classes, families and lists (find.js says how); also whoever is to be compared.

const linkTo = (one) =>
  one.href || (one.channel === undefined ? routes.layer(one.layer) : routes.feature(one.layer, one.channel));

/** taken(found): what becomes of what was chosen, its page unless something else is said; only: "layers" or "features". */
function openSearch(taken = (one) => go(linkTo(one)), only = null) {
  const list = el("ul.found", { role: "listbox", id: "found", "aria-label": "Found" });
  const field = html`<input type="search" placeholder="a class, a name, a layer, a channel: zebra, googlenet 4a 12" aria-label="Search" autocomplete="off" spellcheck="false"
    role="combobox" aria-controls="found" aria-expanded="true" aria-autocomplete="list" />`;
  overlay(
    "Search",
    html`<div.finder><div.findbar>${field}<button.plainbutton type="button" onclick=${closeOverlay}>Close</button></div>${list}</div>`,
  );
  let [results, at] = [[], 0];
  const mark = () => {
    [...list.children].forEach((item, k) => item.setAttribute("aria-selected", String(k === at)));
    if (results.length) field.setAttribute("aria-activedescendant", `found${at}`);
    else field.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const take = (one) => {
    closeOverlay();
    taken(one);
  };
  const meant = (one) => !only || (!one.href && (only === "features") === (one.channel !== undefined));
  const draw = () => {
    results = find(field.value).filter(meant);
    at = 0;
    list.replaceChildren(
      ...results.map(
        (one, k) =>
          html`<li role="option" id=${`found${k}`} onclick=${() => take(one)}>${foundThumb(one)}<span>${foundWords(one)}</span></li>`,
      ),
    );
    if (!results.length) list.append(html`<li.quiet role="option" aria-disabled="true">${whyNothing(field.value)}</li>`);
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

function foundWords({ layer, channel, title, note }) {
  if (title) return html`<strong>${title}</strong><span.quiet.small> ${note}</span>`;
  const size =
    channel === undefined
      ? html`<span.quiet.small> ${count(layer.list.length, "channel")}</span>`
      : [el("strong", ` : ${channel} `), named(layer, channel)];
  return html`<span.quiet>${layer.model.name} / </span>${layer.name}${size}`;
}

const foundThumb = ({ layer, channel }) =>
  !layer
    ? html`<span.thumb.word></span>`
    : channel !== undefined
      ? thumb(layer, channel)
      : layer.samples.length
        ? thumb(layer, layer.samples[0])
        : el("span.thumb.none");

/** Who looks for what is dead or failed, where nothing is, gets an answer all the same. */
function whyNothing(text) {
  const state = text.trim().toLowerCase();
  return { dead: "No feature is dead.", failed: "No feature failed." }[state] || "Nothing is called that.";
}

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
