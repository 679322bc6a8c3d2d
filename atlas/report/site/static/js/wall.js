// The wall of a layer's thumbnails: a box of the full height in which only the rows near the window exist.

const NEAR = 500; // px above and below the window that are drawn as well
const LEAST_CAPTION = 60; // px of a cell that has room for more than a number below it

/** groups: [{title, note, places}]; choice: {set, order, size}. Arrows walk the cells. */
function makeWall(layer, grid, choice) {
  const small = choice.size < LEAST_CAPTION;
  const wall = {
    layer,
    choice,
    mine: grid.sets[choice.set],
    groups: ordered(layer, grid, choice),
    gap: small ? 6 : 10,
    below: small ? 15 : 20,
    box: el("div.wall", { role: "group", "aria-label": `Channels of ${nameOf(layer)}` }),
    rows: [],
    drawn: new Map(),
    columns: 0,
    focused: 0,
  };
  wall.total = wall.groups.reduce((sum, group) => sum + group.places.length, 0);
  wall.box.addEventListener("focusin", ({ target }) => {
    if (target.dataset?.at !== undefined) wall.focused = Number(target.dataset.at);
  });
  walker = (key) => walkWall(wall, key);
  whenShown(() => {
    layOutWall(wall);
    if (choice.at !== undefined)
      requestAnimationFrame(() => focusCell(wall, wall.groups.flatMap((group) => group.places).indexOf(choice.at)));
    addEventListener("scroll", () => showWall(wall), { passive: true, signal: pageEnd.signal });
    addEventListener(
      "resize",
      debounced(80, () => layOutWall(wall)),
      { signal: pageEnd.signal },
    );
  });
  return wall.box;
}

const HEADING = 40; // px

/** Where each row stands: of cells, or the heading of a family. */
function layOutWall(wall) {
  const { box, choice, gap, below } = wall;
  if (!box.isConnected) return;
  wall.columns = Math.max(1, Math.floor((box.clientWidth + gap) / (choice.size + gap)));
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
    for (let k = 0; k < group.places.length; k += wall.columns) {
      add({ height: cell + below + gap, places: group.places.slice(k, k + wall.columns), start: start + k });
    }
    start += group.places.length;
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
  el("div.wallhead", { style: { top: `${top}px` } }, el("strong", group.title), el("span.quiet.small", group.note));

function cellRow(wall, { top, places, start }) {
  const {
    layer,
    choice: { set },
    mine,
    focused,
  } = wall;
  const query = set ? { set: layer.sets[set].key } : {};
  return el(
    "div.wallrow",
    { style: { top: `${top}px`, gap: `${wall.gap}px` } },
    places.map((place, k) => {
      const link = card(layer, layer.list[place], {
        set,
        state: STATES[mine.state[place]],
        query,
        lines: [el("span.caption", captionOf(wall, place))],
      });
      link.dataset.at = start + k;
      link.tabIndex = start + k === focused ? 0 : -1;
      return link;
    }),
  );
}

/** The channel, its name, and what the wall is ordered by. */
function captionOf({ layer, mine, choice: { order, size } }, place) {
  const channel = layer.list[place];
  const value = {
    score: mine.score[place] === null ? null : number(mine.score[place]),
    rank:
      mine.rank[place] === null ? null : `#${mine.rank[place]}${mine.z[place] === null ? "" : ` z ${number(mine.z[place], 1)}`}`,
  }[order];
  if (size < LEAST_CAPTION) return String(channel);
  return [`${channel} `, named(layer, channel), calledOf(layer, channel) && " ", value && el("span.quiet", value)];
}

const rowOf = (wall) =>
  wall.rows.findIndex((one) => one.places && one.start <= wall.focused && wall.focused < one.start + one.places.length);

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
  while (rows[next] && !rows[next].places) next += step;
  return rows[next] ? rows[next].start + Math.min(focused - rows[k].start, rows[next].places.length - 1) : focused;
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
