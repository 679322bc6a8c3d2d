// Elements. Text is always set as text: names come from users' models.

/** el("a.quiet.small", {href: "#/"}, "text", child, [children]): properties may be left out; null and false children are. */
function el(kind, ...rest) {
  const properties = rest[0]?.constructor === Object ? rest.shift() : {};
  const [tag, ...classes] = kind.split(".");
  const made = document.createElement(tag || "div");
  if (classes.length) made.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, said] of Object.entries(value)) made.style.setProperty(key, said);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(
    ...rest.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== true),
  );
  return made;
}

/** The same as a template: html`<a.quiet href=${link}>text ${child}</a>`. */
const html = htm.bind((kind, properties, ...children) => el(kind, properties || {}, ...children));

const SVG = "http://www.w3.org/2000/svg";
function svg(tag, properties, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties || {})) made.setAttribute(name, value);
  made.append(...children.flat(Infinity));
  return made;
}

const ROW = 56; // letters of choices that stand in a row; more go into a list

/** A choice: buttons in a row of which one is pressed, or a list where they are long. choose(value) is called with another. */
function choices(label, options, chosen, choose) {
  if (options.reduce((sum, [, text]) => sum + text.length + 2, 0) > ROW) return picker(label, options, chosen, choose);
  if (options.length < 2) return null;
  return el(
    "span.choices",
    { role: "group", "aria-label": label },
    el("span.label", label),
    options.map(([value, text]) =>
      el(
        "button.choice",
        {
          type: "button",
          "aria-pressed": String(value === chosen),
          "data-key": `${label} ${value}`,
          onclick: () => value === chosen || choose(value),
        },
        text,
      ),
    ),
  );
}

function picker(label, options, chosen, choose) {
  if (options.length < 2) return null;
  const select = el(
    "select",
    { "aria-label": label, "data-key": label, onchange: () => choose(select.value) },
    options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)),
  );
  return el("label.picker", el("span.label", label), select);
}

/** Something that can be copied with one click; a function says it when it is wanted. */
function copyable(text, shown, title) {
  const button = el(
    "button.copy",
    { type: "button", title: title || "Copy", onclick: () => copy(typeof text === "function" ? text() : text, button) },
    shown || text,
  );
  return button;
}

async function copy(text, button) {
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    const field = el("textarea", { style: { position: "fixed", opacity: "0" } });
    field.value = text;
    document.body.append(field);
    field.select();
    done = document.execCommand("copy");
    field.remove();
  }
  button.dataset.said = done ? "copied" : "cannot copy here";
  setTimeout(() => delete button.dataset.said, 1400);
}

function debounced(wait, act) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...values), wait);
  };
}

/** A plain table: what stands at the head of each column, and of each row its cells. stacks: on a phone a row is a block of lines. */
function table(heads, rows, { rowHeads = false, stacks = false } = {}) {
  const words = heads.map((head) => head.textContent ?? head);
  const line = (cells) =>
    el(
      "tr",
      cells.map((cell, k) =>
        rowHeads && !k ? el("th", { scope: "row" }, cell) : el("td", { "data-head": stacks && words[k] }, cell),
      ),
    );
  return el(
    `div.scrolls${stacks ? ".stacks" : ""}`,
    el(
      "table.plain",
      el(
        "thead",
        el(
          "tr",
          heads.map((head) => el("th", head)),
        ),
      ),
      el("tbody", rows.map(line)),
    ),
  );
}
