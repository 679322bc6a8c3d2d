// Two small drawings: the score along the way, and what every channel of the layer does on one image.

/** A line of the scores of an image while it was made. */
function traceChart(trace) {
  if (trace.length < 2) return null;
  const [wide, high] = [220, 44];
  const low = Math.min(0, ...trace);
  const top = Math.max(...trace, low + 1e-9);
  const x = (k) => (k / (trace.length - 1)) * wide;
  const y = (value) => high - 3 - ((value - low) / (top - low)) * (high - 6);
  const path = trace.map((value, k) => `${k ? "L" : "M"}${x(k).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  return el("div.chart", {},
    svg("svg", { viewBox: `0 0 ${wide} ${high}`, preserveAspectRatio: "none", role: "img", "aria-label": `Score from ${number(trace[0])} to ${number(trace.at(-1))} in ${trace.length} steps` },
      svg("line", { x1: 0, x2: wide, y1: y(0), y2: y(0), class: "zero" }), svg("path", { d: path, class: "line" })),
    el("div.small.quiet", {}, term("trace", "score along the way"), ` ${number(trace[0])} \u2192 ${number(trace.at(-1))}`));
}

/** One line for each channel of the layer; pointing at one names it. mine: the channel that the image was made for. */
function spectrumChart(layer, channel, image) {
  const { low, high, data } = image.spectrum;
  const levels = bytes(data);
  const value = (k) => low + (levels[k] / 255) * (high - low);
  const canvas = el("canvas.spectrum", { role: "img", "aria-label": `Activation of each of ${levels.length} channels on this image` });
  const note = el("p.small.quiet.said", { "aria-live": "polite" });
  const rivals = image.rivals.map(([other]) => other);
  const rest = () => note.replaceChildren("Point at a line to see whose it is. ", el("span.key.mine"), " this channel ", el("span.key.rival"), " its rivals");
  const paint = (pointed) => {
    const [wide, tall, scale] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio || 1];
    if (!wide) return;
    canvas.width = wide * scale;
    canvas.height = tall * scale;
    const draw = canvas.getContext("2d");
    draw.scale(scale, scale);
    const style = getComputedStyle(canvas);
    const [bottom, top] = [Math.min(0, low), Math.max(high, bottom0(low, high))];
    const y = (one) => tall - 2 - ((one - bottom) / (top - bottom || 1)) * (tall - 6);
    const step = wide / levels.length;
    const line = (k, colour, thick) => {
      draw.fillStyle = colour;
      const [a, b] = [y(0), y(value(k))];
      const width = Math.max(thick, step - (step > 3 ? 1 : 0));
      draw.fillRect(k * step + (step - width) / 2, Math.min(a, b), width, Math.max(1, Math.abs(a - b)));
    };
    for (let k = 0; k < levels.length; k += 1) line(k, style.getPropertyValue("--faint"), 0.5);
    for (const k of rivals) if (k !== channel) line(k, style.getPropertyValue("--rival"), 2);
    line(channel, style.getPropertyValue("--accent"), 2.5);
    if (pointed !== undefined) line(pointed, style.getPropertyValue("--text"), 2);
  };
  const at = (event) => Math.max(0, Math.min(levels.length - 1, Math.floor(((event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth) * levels.length)));
  /** Where lines are thinner than a pointer, the highest one near it is meant. */
  const meant = (event) => {
    const k = at(event);
    const near = Math.floor((2 * levels.length) / canvas.clientWidth);
    let best = k;
    for (let j = Math.max(0, k - near); j <= Math.min(levels.length - 1, k + near); j += 1) if (levels[j] > levels[best]) best = j;
    return best;
  };
  canvas.addEventListener("pointermove", (event) => {
    const k = meant(event);
    paint(k);
    note.replaceChildren(el("strong", {}, `channel ${k}`), ` ${number(value(k))}`);
    if (layer.place.has(k)) showPeek(event.clientX, event.clientY, [{ layer, channel: k }], [el("p.quiet", {}, `activation ${number(value(k))}`)]);
    else hidePeek();
  });
  canvas.addEventListener("pointerleave", () => {
    hidePeek();
    rest();
    paint();
  });
  canvas.addEventListener("click", (event) => layer.place.has(meant(event)) && go(routes.feature(layer, meant(event))));
  rest();
  whenShown(() => {
    paint();
    addEventListener("resize", debounced(80, () => paint()), { signal: pageEnd.signal });
    addEventListener("themechange", () => paint(), { signal: pageEnd.signal });
  });
  return el("div", {}, canvas, note);
}

const bottom0 = (low, high) => (high > low ? high : low + 1);
