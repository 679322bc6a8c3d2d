// A wall of thumbnails: a box of the full height in which only the rows near the window exist.

const NEAR = 500; // px above and below the window that are drawn as well
const LEAST_CAPTION = 60; // px of a cell that has room for more than one word below it
const VALUED = ["score", "rank"]; // orders by a value, which stands below each cell
const LETTER = { small: 5.6, other: 6 }; // px of one below a cell, on average

/** groups: [{title, note, items}], as a selection has them; query: the selection, size in px, `at` an address. Arrows walk the cells. */
function makeWall(label, groups, query) {
  const small = query.size < LEAST_CAPTION;
  // on a wall of many layers a number alone says nothing; where a heading names the layer, it does
  const mixed = query.of === "all" && !groups[0]?.title;
  const wall = {
    query,
    groups,
    mixed,
    small,
    keep: selecting(query),
    gap: small ? 6 : 10,
    box: el(small ? "div.wall.small" : "div.wall", { role: "group", "aria-label": label }),
    rows: [],
    drawn: new Map(),
    columns: 0,
    focused: 0,
  };
  wall.letters = Math.floor(query.size / LETTER[small ? "small" : "other"]);
  wall.apart = isApart(wall);
  wall.below = (small ? 15 : 18) * linesOf(wall) + (small ? 0 : 2);
  wall.total = groups.reduce((sum, group) => sum + group.items.length, 0);
  wall.box.addEventListener("focusin", ({ target }) => {
    if (target.dataset?.at !== undefined) wall.focused = Number(target.dataset.at);
  });
  walker = (key) => walkWall(wall, key);
  whenShown(() => {
    layOutWall(wall);
    if (query.at)
      requestAnimationFrame(() =>
        seekCell(
          wall,
          groups.flatMap((group) => group.items).findIndex((item) => addressOf(item.layer, item.channel) === query.at),
        ),
      );
    else if (query.family) requestAnimationFrame(() => seekFamily(wall, Number(query.family)));
    addEventListener("scroll", () => showWall(wall), { passive: true, signal: pageEnd.signal });
    addEventListener(
      "resize",
      debounced(80, () => layOutWall(wall)),
      { signal: pageEnd.signal },
    );
  });
  return wall.box;
}

const seekCell = (wall, at) => at >= 0 && focusCell(wall, at);

/** A link to a family leads to its heading. */
function seekFamily(wall, family) {
  const row = wall.rows.find((one) => one.group?.family === family - 1);
  if (row) scrollTo({ top: row.top + wall.box.getBoundingClientRect().top + scrollY - 80 });
}

const HEADING = 40; // px

/** Where each row stands: of cells, or the heading of a family. */
function layOutWall(wall) {
  const { box, query, gap, below } = wall;
  if (!box.isConnected) return;
  wall.columns = Math.max(1, Math.floor((box.clientWidth + gap) / (query.size + gap)));
  const cell = Math.floor((box.clientWidth + gap) / wall.columns) - gap; // a little larger than asked for: rows reach the edge
  box.style.setProperty("--cell", `${cell}px`);
  wall.rows = [];
  let [top, start] = [0, 0];
  const add = (row) => {
    wall.rows.push({ top, ...row });
    top += row.height;
  };
  for (const group of wall.groups) {
    if (group.title) add({ height: HEADING, group });
    for (let k = 0; k < group.items.length; k += wall.columns) {
      add({ height: cell + below + gap, items: group.items.slice(k, k + wall.columns), start: start + k });
    }
    start += group.items.length;
  }
  box.style.height = `${top}px`;
  for (const row of wall.drawn.values()) row.remove();
  wall.drawn.clear();
  showWall(wall);
}

/** Draw the rows near the window, and take the others away. */
function showWall(wall) {
  const { box, rows, drawn } = wall;
  if (!box.isConnected) return;
  const from = -box.getBoundingClientRect().top - NEAR;
  const to = from + innerHeight + 2 * NEAR;
  for (const [k, row] of drawn) {
    if (rows[k].top + rows[k].height < from || rows[k].top > to) {
      row.remove();
      drawn.delete(k);
    }
  }
  for (let k = firstBelow(rows, from); k < rows.length && rows[k].top <= to; k += 1) {
    if (drawn.has(k)) continue;
    const row = rows[k].group ? headingRow(rows[k]) : cellRow(wall, rows[k]);
    drawn.set(k, row);
    box.append(row);
  }
}

/** The first row that ends below y. */
function firstBelow(rows, y) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].top + rows[middle].height < y) low = middle + 1;
    else high = middle;
  }
  return low;
}

const headingRow = ({ top, group }) =>
  html`<h2.wallhead style=${{ top: `${top}px` }}><strong>${group.title}</strong><span.quiet.small>${group.note}</span></h2>`;

function cellRow(wall, { top, items, start }) {
  return el(
    "div.wallrow",
    { style: { top: `${top}px`, gap: `${wall.gap}px` } },
    items.map((item, k) => {
      const { layer, channel, set, state } = item;
      const query = { ...wall.keep, ...(set !== (wall.query.of ? standing(layer, channel) : 0) && { set: layer.sets[set].key }) };
      const link = card(layer, channel, { set, state, query, lines: [captionOf(wall, item)] });
      link.dataset.at = start + k;
      if (wall.query.at === addressOf(layer, channel)) link.setAttribute("aria-current", "true"); // whoever came from there sees where
      link.tabIndex = start + k === wall.focused ? 0 : -1;
      return link;
    }),
  );
}

const anyItem = ({ groups }, is) => groups.some(({ items }) => items.some(({ layer, channel }) => is(layer, channel)));

/** Whether a name has a line of its own: beside an address, above a value, and where it is too long for that of its number. */
const isApart = (wall) =>
  wall.mixed ||
  VALUED.includes(wall.query.order) ||
  anyItem(wall, (layer, channel) => `${channel} ${calledOf(layer, channel) || ""}`.length > wall.letters);

/** How many lines stand below each cell: of number or address, of name, and of value. */
function linesOf(wall) {
  const valued = VALUED.includes(wall.query.order);
  if (wall.small) return wall.mixed && valued ? 2 : 1;
  return 1 + (wall.apart && anyItem(wall, calledOf) ? 1 : 0) + valued;
}

/** The number, its layer where several are mixed, the name, and what the wall is ordered by; a small cell has room for less. */
function captionOf({ query: { order }, mixed, small, apart, letters }, { layer, channel, score, rank, winner }) {
  const isMeasured = ({ score, rank }[order] ?? null) !== null;
  const value = isMeasured && (order === "score" ? number(score) : placeWords(rank));
  const wins = order === "rank" && rank > 1 && winner !== undefined && `${winner} wins`;
  const [name, said] = [calledOf(layer, channel), [value, wins].filter(Boolean).join(", ")];
  const title = [addressOf(layer, channel), name, said].filter(Boolean).join(", ");
  const address = cutName(mixed ? `${layer.name}:${channel}` : String(channel), letters);
  const cut = name && html`<strong.called>${cutName(name, letters - 1)}</strong>`;
  const lines = small
    ? [(mixed || !value) && address, value && (wins ? `${value}, ${winner}` : value)]
    : apart
      ? [address, cut, said]
      : [[address, " ", cut]];
  return html`<span.caption title=${title}>${lines.filter(Boolean).map((line, k) => html`<span class=${k && line !== cut ? "line quiet" : "line"}>${line}</span>`)}</span>`;
}

const rowOf = (wall) =>
  wall.rows.findIndex((one) => one.items && one.start <= wall.focused && wall.focused < one.start + one.items.length);

/** Whether a key was meant for the wall. Up from its first row is up to somebody else. */
function walkWall(wall, key) {
  const started = wall.box.contains(document.activeElement);
  const moves = {
    ArrowRight: () => wall.focused + 1,
    ArrowLeft: () => wall.focused - 1,
    ArrowDown: () => besideRow(wall, 1),
    ArrowUp: () => besideRow(wall, -1),
    Home: () => 0,
    End: () => wall.total - 1,
  };
  if (!Object.hasOwn(moves, key) || !wall.total || (!started && (key === "Home" || key === "End"))) return false;
  focusCell(wall, started ? moves[key]() : wall.focused);
  return true;
}

/** The cell above or below, also across the break between families. */
function besideRow(wall, step) {
  const { rows, focused } = wall;
  const k = rowOf(wall);
  let next = k + step;
  while (rows[next] && !rows[next].items) next += step;
  return rows[next] ? rows[next].start + Math.min(focused - rows[k].start, rows[next].items.length - 1) : focused;
}

function focusCell(wall, at) {
  const { box } = wall;
  wall.focused = Math.max(0, Math.min(wall.total - 1, at));
  const row = wall.rows[rowOf(wall)];
  const y = row.top + box.getBoundingClientRect().top;
  if (y < 70 || y + row.height > innerHeight - 20) scrollBy({ top: y < 70 ? y - 90 : y + row.height - innerHeight + 60 });
  showWall(wall);
  box.querySelectorAll("[tabindex='0']").forEach((one) => {
    one.tabIndex = -1;
  });
  const link = box.querySelector(`[data-at='${wall.focused}']`);
  link.tabIndex = 0;
  link.focus({ preventScroll: true });
}
