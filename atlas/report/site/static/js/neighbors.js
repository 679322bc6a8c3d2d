// The relatives of a feature: in its layer, elsewhere in its network, in other networks; those beyond chance first, the others folded.

const SCOPES = [
  ["layer", "In its layer"],
  ["model", "Elsewhere in its network"],
  ["other", "In other networks"],
]; // elsewhere: of its nearest in all of the network, those in other layers
const SHOWN = 9; // neighbors at first; the others after a click

const usualMeasure = (scope, probe) => (scope === "layer" && probe === "atlas" ? "sym" : "profile");

function neighborsSection(layer, channel, known, query) {
  const keys = Object.keys(known.neighbors).map((key) => key.split("/"));
  if (!keys.length) return html`<section.relatives><h2>Relatives</h2>${whyAlone(layer, channel)}</section>`;
  const probes = [...new Set(keys.map(([probe]) => probe))];
  const probe = probes.includes(query.probe) ? query.probe : probes[0];
  const measures = [...new Set(keys.filter(([one]) => one === probe).map(([, , measure]) => measure))];
  const wanted = measures.includes(query.measure) ? query.measure : undefined;
  return html`<section.relatives>
    <h2>Relatives</h2>
    <div.tools>
      ${choices("Alike when they", [["", "as is usual"], ...measures.map((name) => [name, MEASURE_WORDS[name]])], wanted || "", (measure) => redraw({ measure: measure || null }))}
      ${picker(
        "Compared on",
        probes.map((name) => [name, probeWords(name)]),
        probe,
        (value) => redraw({ probe: value }),
      )}
      <span.quiet.small>${term("bar", "What does a bar say?")}</span>
    </div>
    ${SCOPES.map(([scope, title]) => scopeRow(layer, channel, known, { scope, title, probe, wanted }))}
  </section>`;
}

/** One scope: its nearest and its most opposite, by the measure asked for, or else the one that is usual there. */
function scopeRow(layer, channel, known, { scope, title, probe, wanted }) {
  const measure = wanted || usualMeasure(scope, probe);
  const all = known.neighbors[`${probe}/${scope}/${measure}`];
  if (!all?.length) return null;
  const rows = all.filter((one) => !(scope === "model" && one.layer === layer));
  if (!rows.length)
    return html`<div.scope><h3>${title}</h3><p.quiet.small>Its nearest features all stand in its own layer.</p></div>`;
  const most = Math.max(...rows.map((one) => Math.abs(one.score)), measure === "profile" ? 1 : 0);
  const draw = (one) => neighborCard({ ...one, most }, layer, channel);
  const near = parted(rows.filter((one) => one.sign > 0));
  const far = parted(rows.filter((one) => one.sign < 0));
  const probing = probe === "atlas" ? [] : ["--probe", probe];
  const shell = command("similar", shellWord(addressOf(layer, channel)), "--scope", scope, "--measure", measure, ...probing);
  const opposites =
    far.within.length > 0 &&
    (far.above.length ? `${count(far.within.length, "more opposite")}` : `${count(far.within.length, "opposite")}`);
  return html`<div.scope>
    <h3>${title} <span.measure data-measure=${measure}>${term(measure, `they ${MEASURE_WORDS[measure]}`)}</span>${copyable(shell, "Copy command", shell)}</h3>
    ${near.above.length ? html`<div.neighborlist>${shortened(near.above, draw)}</div>` : html`<p.quiet.small>None is more like it than chance.</p>`}
    ${far.above.length > 0 && html`<div.opposites><h4>${term("opposite", "Opposites")}</h4><div.neighborlist>${far.above.map(draw)}</div></div>`}
    ${near.within.length > 0 && folded(`${near.within.length} more, not above chance`, () => html`<div.neighborlist>${near.within.map(draw)}</div>`)}
    ${opposites && folded(`${opposites}, not beyond chance`, () => html`<div.neighborlist>${far.within.map(draw)}</div>`)}
  </div>`;
}

/** The first few, and a button for the others. */
function shortened(all, draw, { shown: few = SHOWN, kind = "run", at } = {}) {
  const shown = Math.max(few, (Number(at) || 0) + 1); // one that was asked for is among them
  const box = el(`div.${kind}`, all.slice(0, shown).map((one, k) => draw(one, k)));
  if (all.length > shown) {
    const rest = () => {
      const cards = all.slice(shown).map((one, k) => draw(one, shown + k));
      more.replaceWith(...cards);
      (cards[0].querySelector("a") || cards[0]).focus({ preventScroll: true });
    };
    const more = el("button.more", { type: "button", onclick: rest }, `${all.length - shown} more`);
    box.append(more);
  }
  return box;
}

/** A feature's name below its image, as far as it is another one than that of `from`. */
const whereabouts = (layer, channel, from, word) => html`<span.caption>
  ${word && html`<span.quiet>${word}</span>`}
  ${layer.model !== from.model && html`<span.place><span.dot></span>${layer.model.name}</span>`}
  ${layer !== from && html`<span.place>${layer.name}</span>`}
  <strong>${String(channel)}</strong>${named(layer, channel)}
</span>`;

/** A neighbor: its image, its score as a bar with the tick of chance, and a way to look at both. */
function neighborCard({ layer, channel, most, ...row }, from, fromChannel, word) {
  return html`<div.neighbor style=${{ "--model": colourOfModel(layer.model) }}>
    ${card(layer, channel, { lines: [whereabouts(layer, channel, from, word)] })}
    ${scoreBar(row, most)}
    <a.versus href=${routes.compare(addressOf(from, fromChannel), addressOf(layer, channel))} aria-label=${`Compare with ${addressOf(layer, channel)}`}>compare</a>
  </div>`;
}

function whyAlone(layer, channel) {
  if (!whole.data.probes.length || !layer.measures.length) return notCompared();
  const why = {
    dead: "It is dead: nothing drives it, so nothing is like it.",
    ok: "It was not among the features compared, or answers to all pictures alike.",
  };
  return el("p.empty", why[stateOf(layer, channel)] || "It has no image to be compared by.");
}
