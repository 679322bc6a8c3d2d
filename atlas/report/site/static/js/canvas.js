// What maps and matrices share: sheets of thumbnails for a canvas, and what a hand does to one.

const MOST_LOADS = 3; // sheets on their way at a time

const zoomButtons = (keys) =>
  el(
    "div.zoomers",
    { role: "group", "aria-label": "Zoom" },
    [
      ["+", "Zoom in", "+"],
      ["-", "Zoom out", SIGN],
      ["0", "Show all", "Fit"],
    ].map(([key, label, shown]) =>
      el("button.zoomer", { type: "button", "aria-label": label, title: `${label} (${key})`, onclick: () => keys[key]() }, shown),
    ),
  );

/** Sheets of thumbnails, a few on their way at a time; get(source): undefined until asked for, null until there. */
function sheetStore(changed) {
  const held = new Map();
  const { signal } = pageEnd;
  let [loading, wanted] = [0, []];
  const next = () => {
    while (!signal.aborted && loading < MOST_LOADS && wanted.length) {
      const source = wanted.shift();
      if (held.has(source)) continue;
      held.set(source, null);
      loading += 1;
      readSheet(source)
        .catch(() => null)
        .then((sheet) => {
          held.set(source, sheet);
          loading -= 1;
          changed();
          next();
        });
    }
  };
  signal.addEventListener("abort", () => held.forEach((sheet) => sheet?.half.close()));
  return {
    get: (source) => held.get(source),
    want(sources) {
      wanted = sources;
      next();
    },
  };
}

const atRest = (act) => (window.requestIdleCallback ? requestIdleCallback(act, { timeout: 300 }) : setTimeout(act, 60));
let sheetTurn = Promise.resolve(); // one after the other: each holds the page up for the time of decoding it

/** A sheet, and the same at half its size: what is drawn small is drawn well, and a hundred of them fit into memory. */
async function readSheet(source) {
  const full = await picture(source);
  if (!full) return null;
  await (sheetTurn = sheetTurn.then(() => new Promise(atRest)));
  const half = await createImageBitmap(full, {
    resizeWidth: full.width >> 1,
    resizeHeight: full.height >> 1,
    resizeQuality: "medium",
  });
  return { full, half, cell: full.width / whole.data.sheet };
}

/** act.pan(dx, dy), zoom(factor, x, y) → false when it cannot, tap(x, y, event), hover(x, y, event), out(): by mouse, pen and fingers. */
function gestures(canvas, act) {
  const held = new Map(); // pointer → place
  let [start, moved] = [null, false];
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const middle = (places) => [places[0], places.at(-1)].reduce(([x, y], [a, b]) => [x + a / 2, y + b / 2], [0, 0]);
  const apart = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, at(event));
    moved = held.size > 1;
    start = at(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    const here = at(event);
    if (!held.has(event.pointerId)) return void (held.size || act.hover(...here, event));
    if (!moved && apart([here, start]) < 5) return;
    if (!moved) act.out();
    moved = true;
    const before = [...held.values()].slice(0, 2);
    held.set(event.pointerId, here);
    const after = [...held.values()].slice(0, 2);
    const [from, to] = [middle(before), middle(after)];
    act.pan(to[0] - from[0], to[1] - from[1]);
    if (after.length > 1) act.zoom(apart(after) / apart(before), ...to);
    canvas.classList.add("held");
  });
  const end = (event) => {
    const there = held.delete(event.pointerId);
    if (!held.size) canvas.classList.remove("held");
    if (there && !moved && event.type === "pointerup") act.tap(...at(event), event);
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", (event) => held.size || event.pointerType === "touch" || act.out());
  canvas.addEventListener(
    "wheel",
    (event) => {
      const step = event.deltaY * [1, 33, 400][event.deltaMode] * (event.ctrlKey ? 0.01 : 0.0018);
      if (act.zoom(Math.exp(-Math.max(-1, Math.min(1, step))), ...at(event)) !== false) event.preventDefault();
    },
    { passive: false },
  );
}
