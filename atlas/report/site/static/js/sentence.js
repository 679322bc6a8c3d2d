// A feature in plain words, made from its numbers: what its image does, what else answers to it, its family, its relatives.

function sentenceOf(layer, channel, known, image) {
  const grid = arrived.get(`layers/${layer.path}/layer`);
  if (stateOf(layer, channel) === "dead")
    return html`<p.sentence>It is ${term("dead", "dead")}: nothing that was tried drives it, so it is never compared.</p>`;
  if (!image) return null;
  const said = [
    ownWords(layer, channel, grid, image),
    rivalWords(layer, channel, image),
    familyWords(layer, channel, grid),
    relativeWords(known),
  ];
  return html`<p.sentence>${said.filter(Boolean).map((one) => [one, " "])}</p>`;
}

/** Whether its own image is the one that drives it most. */
function ownWords(layer, channel, grid, { set }) {
  const place = layer.place.get(channel);
  const [rank, z] = [grid.sets[set].rank[place], grid.sets[set].z[place]];
  if (rank === null) return null;
  const far =
    z === null ? "" : [", ", term("z", `${number(Math.abs(z), 1)} deviations`), ` ${z < 0 ? "below" : "above"} the average`];
  if (rank === 1) return ["Its image ", term("rank", "drives it more"), " than any other image of the layer does", far, "."];
  const winner = grid.winners[channel];
  const others = rank - 1;
  const more = others === 1 ? "drives it more" : "drive it more";
  if (winner === undefined)
    return [`${count(others, "image")} of other features `, term("rank", more), " than its own does", far, "."];
  const its = far && ["; its own lies ", far.slice(1)];
  const link = featureLink(layer, winner);
  return others === 1
    ? ["The image of ", link, " ", term("rank", more), " than its own does", its, "."]
    : [`${count(others, "image")} of other features `, term("rank", more), " than its own does, that of ", link, " most", its, "."];
}

/** A feature of a layer as a link, or as words where it has no page. */
const featureLink = (layer, channel) => {
  const said = [`${layer.name}:${channel}`, calledOf(layer, channel) && ` ${calledOf(layer, channel)}`];
  return layer.place.has(channel) ? html`<a href=${routes.feature(layer, channel)}>${said}</a>` : html`<span>${said}</span>`;
};

/** How many channels of the layer answer to its image at least as strongly as it does, and which comes first of the others. */
function rivalWords(layer, channel, image) {
  if (!image.spectrum) return null;
  const levels = bytes(image.spectrum.data);
  const rivals = levels.reduce((sum, level) => sum + (level >= levels[channel]), 0) - 1;
  const [first] = rivalsOf(image, channel);
  const link = first && featureLink(layer, first[0]);
  const strongly = term("spectrum", "as strongly");
  if (rivals > levels.length / 2)
    return ["Most channels of the layer answer to it at least ", strongly, link && [", ", link, " most"], "."];
  if (!rivals) return ["No other channel answers to it ", strongly, link && ["; the next is ", link], "."];
  const answer = `${capital(smallNumber(rivals))} other ${rivals === 1 ? "channel answers" : "channels answer"} to it at least `;
  return [answer, strongly, link && (rivals === 1 ? [": ", link] : [", ", link, " most"]), "."];
}

function familyWords(layer, channel, grid) {
  const [measure, cluster] = Object.entries(grid.clusters)[0] || [];
  const at = cluster ? cluster.order.indexOf(channel) : -1;
  if (at < 0 || cluster.names.length < 2) return null;
  const family = cluster.family[at];
  const others = cluster.family.filter((one) => one === family).length - 1;
  const link = routes.layer(layer, { order: "cluster", measure, family: family + 1, at: channel });
  return [
    "It is in ",
    html`<a href=${link}>${familyTitle(cluster.names[family], family).toLowerCase()}</a>`,
    others ? `, with ${count(others, "other")}.` : ", alone.",
  ];
}

/** How many of its relatives within the layer are such beyond chance. */
function relativeWords(known) {
  const rows = known.neighbors["atlas/layer/sym"] || known.neighbors["atlas/layer/profile"];
  if (!rows?.length) return null;
  const [near, far] = [1, -1].map((sign) => parted(rows.filter((row) => row.sign === sign)));
  const all = near.above.length + near.within.length;
  const few = near.above.length;
  const relatives =
    few === all && all > 1
      ? `All of its ${all} nearest in the layer are`
      : `${few || "None"} of its ${all} nearest in the layer ${few > 1 ? "are" : "is"}`;
  const opposites = far.above.length
    ? `; ${count(far.above.length, "opposite")} ${far.above.length === 1 ? "is" : "are"} unlike it beyond chance`
    : far.within.length
      ? "; no opposite goes beyond it"
      : "";
  return [`${relatives} like it `, term("baseline", "beyond chance"), `${opposites}.`];
}

const SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const smallNumber = (n) => SMALL[n] || n.toLocaleString("en");
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
