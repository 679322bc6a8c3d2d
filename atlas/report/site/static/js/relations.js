// The layer \u00d7 layer map of the first page: how alike whole layers are, beside what a rotation leaves.

const RELATIONS = { cka: [2, 3], best_match: [4, 5], mutual_share: [6, 7] };

const SQUARE = { least: 4, named: 14, numbered: 36, most: 52 }; // px: the smallest, with names beside it, with its number in it, the largest
const HEAD = 22; // letters of a layer's name that have room beside the squares
const REST = "Point at a square; a click compares the two layers.";
const light = ([r, g, b]) => 0.3 * r + 0.6 * g + 0.1 * b > 115; // where dark letters are the more legible ones

function relationsSection() {
  const probes = Object.keys(whole.data.relations).filter((probe) => whole.data.relations[probe].length);
  if (!probes.length || whole.layers.length < 2) return null;
  const body = el("div");
  const state = { probe: probes.includes("atlas") ? "atlas" : probes[0], kind: "cka" };
  const draw = () =>
    body.replaceChildren(
      el(
        "div.tools",
        choices(
          "Compare by",
          Object.keys(RELATIONS).map((kind) => [kind, WORDS[kind][0]]),
          state.kind,
          (kind) => {
            state.kind = kind;
            draw();
          },
        ),
        picker(
          "Compared on",
          probes.map((probe) => [probe, probeWords(probe)]),
          state.probe,
          (probe) => {
            state.probe = probe;
            draw();
          },
        ),
        el("a.small", { href: routes.compare(null, null) }, "Compare two layers"),
        el(
          "span.quiet.small",
          state.kind === "cka" ? "" : "Row: whose features; column: where their best matches are sought. ",
          "What is ",
          term(state.kind, WORDS[state.kind][0].toLowerCase()),
          "? What is a ",
          term("baseline", "baseline"),
          "?",
        ),
      ),
      relationsTable(whole.data.relations[state.probe], ...RELATIONS[state.kind], state.kind),
    );
  draw();
  return el("section.relations", { "aria-label": "How the layers relate" }, el("h2", "How the layers relate"), body);
}

/** Ordered pairs as a square: its colour is the value; the note below it says both sides and what a rotation leaves. */
function relationsTable(rows, value, baseline, kind) {
  const held = new Map(rows.filter((row) => row[value] !== null).map((row) => [`${row[0]},${row[1]}`, row]));
  const layers = [...new Set(rows.flatMap((row) => [row[0], row[1]]))].sort((a, b) => a - b).map((k) => whole.layers[k]);
  const values = [...held.values()].filter((row) => row[0] !== row[1]).map((row) => row[value]);
  const shade = shader(
    values.reduce((a, b) => Math.min(a, b), 0),
    values.reduce((a, b) => Math.max(a, b), 0.01),
  );
  const size = Math.max(SQUARE.least, Math.min(SQUARE.most, Math.floor(860 / layers.length)));
  const pairOf = (i, j) => held.get(`${layers[i]?.number},${layers[j]?.number}`);
  const note = el("p.quiet.small.said", { "aria-live": "polite" }, REST);
  const tell = (i, j) => {
    const row = pairOf(i, j);
    note.replaceChildren(
      ...(row
        ? [
            el("strong", nameOf(layers[i])),
            " \u2192 ",
            el("strong", nameOf(layers[j])),
            ` \u00b7 ${WORDS[kind][0]} ${number(row[value])}`,
            kind === "cka"
              ? ""
              : ` \u00b7 by chance ${number(row[baseline])}${row[value] > row[baseline] ? "" : ", not above it"}`,
          ]
        : [REST]),
    );
  };
  const square = relationsSquare(layers.length, size, (i, j) => (i === j ? null : (pairOf(i, j)?.[value] ?? null)), shade, {
    tell,
    open: (i, j) => i !== j && pairOf(i, j) && go(routes.compare(nameOf(layers[i]), nameOf(layers[j]))),
  });
  const heads = () =>
    layers.map((layer) =>
      el(
        "a.head",
        { href: routes.layer(layer), title: nameOf(layer), style: { "--model": colourOfModel(layer.model) } },
        whole.data.models.length > 1 && el("span.quiet", `${layer.model.name} `),
        cutName(layer.name, HEAD),
      ),
    );
  const named = size >= SQUARE.named;
  return el(
    "div.relationwrap",
    el(
      "div.relationtable",
      { style: { "--n": layers.length, "--size": `${size}px` } },
      named && el("div.heads", heads()),
      square,
      named && el("div.heads.below", heads()),
    ),
    legend(shade, WORDS[kind][0]),
    note,
  );
}

/** The squares on a canvas: a hundred layers are ten thousand pairs. Arrows walk them, Enter opens. */
function relationsSquare(n, size, value, shade, { tell, open }) {
  const ratio = devicePixelRatio || 1;
  const canvas = el("canvas.pairs", {
    tabindex: "0",
    role: "application",
    "aria-label": "Layer by layer: arrows move over the pairs, Enter compares the two layers",
    width: n * size * ratio,
    height: n * size * ratio,
    style: { width: `${n * size}px`, height: `${n * size}px` },
  });
  let at = [0, 0];
  const still = el("canvas", { width: n * size * ratio, height: n * size * ratio }); // the squares without a frame, drawn once
  const prepare = () => {
    const draw = still.getContext("2d");
    draw.setTransform(ratio, 0, 0, ratio, 0, 0);
    Object.assign(draw, { font: `12px ${getComputedStyle(canvas).fontFamily}`, textAlign: "center", textBaseline: "middle" });
    for (let i = 0; i < n; i += 1)
      for (let j = 0; j < n; j += 1) {
        const one = value(i, j);
        draw.fillStyle = one === null ? "rgb(128 128 128 / 14%)" : shade(one);
        draw.fillRect(j * size, i * size, size - (size > 8 ? 1 : 0), size - (size > 8 ? 1 : 0));
        if (one === null || size < SQUARE.numbered) continue;
        draw.fillStyle = light(shade.rgb(one)) ? "#1d1c1a" : "#f4f2ee";
        draw.fillText(number(one), (j + 0.5) * size, (i + 0.5) * size);
      }
  };
  const paint = (pointed) => {
    const draw = canvas.getContext("2d");
    draw.setTransform(1, 0, 0, 1, 0, 0);
    draw.clearRect(0, 0, canvas.width, canvas.height);
    draw.drawImage(still, 0, 0);
    if (!pointed) return;
    draw.setTransform(ratio, 0, 0, ratio, 0, 0);
    Object.assign(draw, { strokeStyle: getComputedStyle(canvas).color, lineWidth: 2 });
    draw.strokeRect(at[1] * size + 1, at[0] * size + 1, size - 3, size - 3);
  };
  const point = (i, j) => {
    at = [Math.max(0, Math.min(n - 1, i)), Math.max(0, Math.min(n - 1, j))];
    paint(true);
    tell(...at);
  };
  canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => point(Math.floor(offsetY / size), Math.floor(offsetX / size)));
  canvas.addEventListener("pointerleave", () => {
    paint();
    tell(-1, -1);
  });
  canvas.addEventListener("click", () => open(...at));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step) point(at[0] + step[0], at[1] + step[1]);
    else if (event.key === "Enter") open(...at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const begin = () => {
    prepare();
    paint();
  };
  document.fonts.ready.then(begin); // once: the numbers are drawn in the page's own font
  return canvas;
}
