// Two small drawings: the score along the way, and what every channel of the layer does on one image.

/** A line of the scores of what each step was shown while an image was made; a mark at its end is the finished image's own score. */
function traceChart(trace, score) {
  if (trace.length < 2) return null;
  const [wide, high] = [220, 44];
  const own = Number.isFinite(score) ? [score] : [];
  const low = Math.min(0, ...trace, ...own);
  const top = Math.max(...trace, ...own, low + 1e-9);
  const x = (k) => (k / (trace.length - 1)) * wide;
  const y = (value) => high - 3 - ((value - low) / (top - low)) * (high - 6);
  const path = trace.map((value, k) => `${k ? "L" : "M"}${x(k).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  return el(
    "div.chart",
    svg(
      "svg",
      {
        viewBox: `0 0 ${wide} ${high}`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": `Score from ${number(trace[0])} to ${number(trace.at(-1))} on what steps were shown, ${number(score)} on the finished image`,
      },
      svg("line", { x1: 0, x2: wide, y1: y(0), y2: y(0), class: "zero" }),
      svg("path", { d: path, class: "line" }),
      own.map((one) => svg("line", { x1: wide - 14, x2: wide, y1: y(one), y2: y(one), class: "own" })),
    ),
    el(
      "div.small.quiet",
      term("trace", "score on what steps were shown"),
      ` ${number(trace[0])} \u2192 ${number(trace.at(-1))}, `,
      el("span.key.own"),
      ` on the finished image ${number(score)}`,
    ),
  );
}

/** One line for each channel of the layer; pointing at one, or walking there by arrows, names it. */
function spectrumChart(layer, channel, image) {
  const { low, high, data } = image.spectrum;
  const levels = bytes(data);
  const chart = {
    layer,
    channel,
    levels,
    low,
    high,
    rivals: rivalsOf(image, channel).map(([other]) => other),
    value: (k) => low + (levels[k] / 255) * (high - low),
    digits: digitsOf((high - low) / 255),
    canvas: el("canvas.spectrum", {
      tabindex: "0",
      role: "application",
      "aria-label": `Activation of each of ${levels.length} channels on this image: arrows walk, Enter opens`,
    }),
    note: el("p.small.quiet.said", { "aria-live": "polite" }),
  };
  const { canvas } = chart;
  let at = channel;
  const point = (k, event) => {
    at = k;
    tellLine(chart, k);
    if (event && layer.place.has(k))
      showPeek(
        event.clientX,
        event.clientY,
        [{ layer, channel: k }],
        [el("p.quiet", `activation ${number(chart.value(k), chart.digits)}`)],
      );
    else hidePeek();
  };
  const rest = () => {
    hidePeek();
    tellLine(chart, null);
  };
  const open = (k) => layer.place.has(k) && go(routes.feature(layer, k));
  canvas.addEventListener("pointermove", (event) => point(lineNear(chart, event), event));
  canvas.addEventListener("pointerleave", rest);
  canvas.addEventListener("blur", rest);
  canvas.addEventListener("click", (event) =>
    event.pointerType === "touch" ? point(lineNear(chart, event), event) : open(lineNear(chart, event)),
  );
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) point(Math.max(0, Math.min(levels.length - 1, at + step)));
    else if (event.key === "Enter") open(at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  whenShown(() => {
    rest();
    addEventListener(
      "resize",
      debounced(80, () => drawSpectrum(chart)),
      { signal: pageEnd.signal },
    );
    addEventListener("themechange", () => drawSpectrum(chart), { signal: pageEnd.signal });
  });
  return el("div", canvas, chart.note);
}

const RIVALS = 6; // shown

/** The channels that an image drives most beside its own, whether more than it or less. */
const rivalsOf = (image, channel) => image.rivals.filter(([other, value]) => other !== channel && value > 0).slice(0, RIVALS);

function tellLine(chart, k) {
  drawSpectrum(chart, k);
  chart.note.replaceChildren(
    ...(k === null
      ? ["Point at a line to see whose it is. ", el("span.key.mine"), " this channel ", el("span.key.rival"), " the others that it drives most"]
      : [el("strong", `channel ${k} `), named(chart.layer, k), ` ${number(chart.value(k), chart.digits)}`]),
  );
}

/** Where lines are thinner than a pointer, the highest one near it is meant. */
function lineNear({ canvas, levels }, event) {
  const part = (event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth;
  const k = Math.max(0, Math.min(levels.length - 1, Math.floor(part * levels.length)));
  const near = Math.floor((2 * levels.length) / canvas.clientWidth);
  let best = k;
  for (let j = Math.max(0, k - near); j <= Math.min(levels.length - 1, k + near); j += 1) if (levels[j] > levels[best]) best = j;
  return best;
}

function drawSpectrum({ canvas, levels, low, high, value, rivals, channel }, pointed = null) {
  const [wide, tall, ratio] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio || 1];
  if (!wide) return;
  Object.assign(canvas, { width: wide * ratio, height: tall * ratio });
  const draw = canvas.getContext("2d");
  draw.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const bottom = Math.min(0, low);
  const top = high > bottom ? high : bottom + 1;
  const y = (one) => tall - 2 - ((one - bottom) / (top - bottom)) * (tall - 6);
  const step = wide / levels.length;
  const line = (k, colour, thick) => {
    const [a, b] = [y(0), y(value(k))];
    const width = Math.max(thick, step - (step > 3 ? 1 : 0));
    draw.fillStyle = style.getPropertyValue(colour);
    draw.fillRect(k * step + (step - width) / 2, Math.min(a, b), width, Math.max(1, Math.abs(a - b)));
  };
  for (let k = 0; k < levels.length; k += 1) line(k, "--edge", 0.5);
  for (const k of rivals) if (k !== channel) line(k, "--rival", 2);
  line(channel, "--accent", 2.5);
  if (pointed !== null) line(pointed, "--text", 2);
}
