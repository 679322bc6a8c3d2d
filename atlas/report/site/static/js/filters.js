// What narrows a wall down: state, own image, score, name. Each choice is a word of the route's query.

/** Change the query, and draw the page anew. */
function redraw(changes) {
  changeQuery(changes);
  render();
}

const TYPING = 150; // ms after a letter

/** Draw the wall anew as one types, and tell what is left of it. */
async function narrow(changes) {
  changeQuery({ ...changes, at: null });
  await render();
  document.getElementById("told").textContent = main().querySelector(".lead")?.textContent || "";
}

/** Esc empties a field, and leaves one that is empty: from there the keys of the page are as before. */
function leaveField(event, changed) {
  if (event.key !== "Escape") return;
  event.preventDefault();
  const field = event.currentTarget;
  if (!field.value) return field.blur();
  field.value = "";
  changed();
}

function filterTools(query, states) {
  const own = pathNow();
  const field = (key, label, properties) => {
    const asked = () => {
      const route = parseRoute(location.hash);
      return route.query[key] || route.unknown[key] || "";
    };
    const take = ({ value }) => value.trim() !== asked() && narrow({ [key]: value.trim() || null });
    const input = html`<input value=${asked()} data-key=${label} onchange=${() => take(input)}
      oninput=${debounced(TYPING, () => input.isConnected && pathNow() === own && take(input))} onkeydown=${(event) => leaveField(event, () => take(input))} ...${properties} />`;
    return html`<label.picker><span.label>${label}</span>${input}</label>`;
  };
  const narrowed = ["state", "own", "name", "low", "high", "in"].some((key) => query[key]);
  const open = narrowed || innerWidth > 700; // on a phone it would push the wall out of sight
  return html`<details.filters open=${open}><summary>Show only some</summary><div.tools role="group" aria-label="Show only">
    ${picker("State", [["", "any"], ...states.map((key) => [key, key === "ok" ? "ok" : STATE_WORDS[key]])], query.state || "", (state) => redraw({ state: state || null, at: null }))}
    ${picker("Own image", Object.entries(OWN), query.own || "", (own) => redraw({ own: own || null, at: null }))}
    ${field("name", "Name", { type: "search", placeholder: "stripes", class: "wordfield" })}
    ${field("low", "Score from", { inputmode: "decimal", class: "numberfield" })}
    ${field("high", "to", { inputmode: "decimal", class: "numberfield" })}
    ${narrowed && html`<button.plainbutton type="button" onclick=${() => redraw({ state: null, own: null, name: null, low: null, high: null, in: null, at: null })}>Show all</button>`}
  </div></details>`;
}

/** How a wall is ordered and how large its images are. */
function orderTools(layers, grids, query, size) {
  const order = orderOf(layers, grids, query);
  const measures = Object.keys(grids[0]?.clusters || {});
  const what = { cluster: "family", score: "score", rank: "rank" }[order];
  return html`<div.tools>
    ${choices("Order", ordersOf(layers, grids), order, (value) => redraw({ order: value === "index" ? null : value, turned: null }))}
    ${
      (order === "score" || order === "rank") &&
      choices(
        "From",
        [
          ["", "the best"],
          ["1", "the weakest"],
        ],
        query.turned ? "1" : "",
        (turned) => redraw({ turned: turned || null }),
      )
    }
    ${
      order === "cluster" &&
      choices(
        "by",
        measures.map((name) => [name, MEASURE_WORDS[name]]),
        measures.includes(query.measure) ? query.measure : measures[0],
        (measure) => redraw({ measure }),
      )
    }
    ${layers.length === 1 && choices("Images", setOptions(layers[0]), layers[0].sets[setByKey(layers[0], query.set)]?.key, (set) => redraw({ set }))}
    ${choices(
      "Size",
      Object.keys(SIZES).map((key) => [key, key[0].toUpperCase()]),
      size,
      (value) => redraw({ size: value }),
    )}
    ${what && html`<span.quiet.small>${term(what, `What is ${{ family: "a family", score: "the score", rank: "this order" }[what]}?`)}</span>`}
  </div>`;
}
