// What the words mean, for somebody who has read none of the papers: a term is a button that says it.

const WORDS = {
  feature: [
    "Feature",
    "One channel of one layer of one network. Its image was made by starting from noise and changing the pixels, step by step, until the channel answers as strongly as possible.",
  ],
  metric: [
    "Metric",
    "How \u201canswer strongly\u201d is measured while an image is made: the distance of the channel\u2019s activation map from a large constant. l1 counts every place alike, l2 the weak places more, linf only the weakest; mean is the plain average.",
  ],
  score: [
    "Score",
    "Mean activation of what was driven \u2013 the whole channel, unless a row or a place of it was the target \u2013 on the finished image. Comparable within a layer and a target at best: layers have scales of their own.",
  ],
  rank: [
    "Own image (self-rank)",
    "Do other images drive this channel more than its own does? 1: no other feature\u2019s image of this layer does. 5: four do.",
  ],
  z: [
    "Deviations (z)",
    "How far this image lifts the channel above what other images do, in standard deviations of the channel. Above 3 is rare by chance.",
  ],
  dead: [
    "Dead",
    "No gradient ever reaches the image: the channel does not answer to anything that was tried. It is drawn gray and never compared.",
  ],
  failed: ["Failed", "The image could not be made; the error is told. retry=failed tries again."],
  left: ["Not made yet", "Asked for and not made yet. Run the same command again: it does what is left."],
  sym: [
    "Drive each other (sym)",
    "How far each feature\u2019s image lifts the other one, in standard deviations (z), averaged over both directions. The default within a layer.",
  ],
  profile: [
    "Answer to the same pictures (profile)",
    "Pearson\u2019s r of the two channels over all pictures of the probe: 1 means that they answer to exactly the same pictures. The default between layers and networks.",
  ],
  baseline: [
    "Chance (rotated baseline)",
    "The score that would be found if the channels were mixed by a random rotation, which keeps all that the layer knows and destroys what single channels mean. A score means something by as much as it lies above: the tick on its bar.",
  ],
  mutual: [
    "Mutual",
    "Each stands in the other\u2019s list of neighbors. By itself it proves little: about one in five unrelated pairs is mutual.",
  ],
  reverse: [
    "Reverse rank",
    "Its place in the neighbor\u2019s own list. A feature that is near to everything is in many lists, and has few of those near in its own.",
  ],
  opposite: [
    "Opposites",
    "The features that answer least when this one answers most. Often the same thing the other way round: dark for bright, left for right.",
  ],
  family: [
    "Families",
    "Groups of features that answer alike, found by average linkage, and only as many as beat the same similarities put at random places. A layer without structure is one family.",
  ],
  spectrum: [
    "Activation spectrum",
    "What every feature of the layer does on this one image: one line per channel. A clean image lifts one line; rivals are features that it lifts, too.",
  ],
  trace: [
    "Score along the way",
    "The score while the image was made, at every few steps. What a step was shown is not the finished image: it was blurred more, smaller, moved or turned, as the recipe says, and further steps followed the last one recorded. So the line does not end at the score, which is of the finished image, whole and as it is; a mark stands there. Steps down are places where the image was enlarged.",
  ],
  cka: [
    "CKA",
    "Centred kernel alignment: how alike two layers\u2019 answers are as wholes, from 0 to 1, whatever the single channels do (Kornblith 2019). A rotation cannot change it.",
  ],
  best_match: [
    "Best match",
    "For every feature of one layer the most similar feature of the other (profile), averaged. Beside its rotated baseline, since large layers always hold something similar.",
  ],
  mutual_share: [
    "Mutual share",
    "Share of a layer\u2019s features that are the best match of their own best match, beside its rotated baseline.",
  ],
  probe: [
    "Probe",
    "The pictures that were shown to every network to see which features answer alike: the atlas\u2019s own images, or photographs.",
  ],
  partner: [
    "Partner",
    "The other network\u2019s feature that this one is paired with when all of a layer are paired one to one, as well as can be.",
  ],
  excess: ["Excess", "Score less baseline: by how much the match is better than what a rotated copy of the network offers."],
  examples: [
    "Pictures that drive it",
    "The pictures of the probe on which this channel\u2019s mean activation is highest: what it answers to in the wild. Colour shows where it answers more than on average over the picture, brightest where it answers most; the frame is the receptive field of that place, all the pixels that can reach it.",
  ],
  map: [
    "Map",
    "Every feature of the network has a place near those that answer to the same pictures (t-SNE on exact neighbors, then put on a grid). Near means alike; far, and up, down, left and right, mean nothing.",
  ],
  bar: [
    "What a bar says",
    "Its length is the score, the tick what chance gives: the same layers with their channels mixed by a random rotation. Only what goes beyond its tick says something of single features; the rest is folded away. Pointing at a bar tells both numbers, its place in the other one\u2019s list (reverse rank), and whether each stands in the other\u2019s (mutual).",
  ],
  hub: [
    "Hubs",
    "Features that stand among the ten nearest of many others. A few are the common motif of their neighborhood; others are near to everything, and so say little.",
  ],
};

// measures and sets of pictures as people say them; their names in tables and commands are the keys
const MEASURE_WORDS = { sym: "drive each other", profile: "answer to the same pictures" };
const PROBE_WORDS = { atlas: "the atlas\u2019s own images", patterns: "PatternNet\u2019s drawings" };
const probeWords = (name) => PROBE_WORDS[name] || name;

/** A place as people say it: best, 2nd, 3rd, 11th. */
const placeWords = (rank) => (rank === 1 ? "best" : ordinal(rank));
const ENDINGS = { one: "st", two: "nd", few: "rd", other: "th" };
const ordinal = (n) => `${n}${ENDINGS[new Intl.PluralRules("en", { type: "ordinal" }).select(n)]}`;

/** A word with its explanation behind it. */
function term(key, text) {
  const [title, meaning] = WORDS[key];
  const shown = text || title;
  const button = el("button.term", { type: "button", "aria-expanded": "false", title: meaning }, shown);
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    explain(button, title, meaning);
  });
  return button;
}

let explained = null;
function explain(button, title, meaning) {
  const same = explained?.button === button;
  explained?.note.remove();
  explained?.button.setAttribute("aria-expanded", "false");
  explained = null;
  if (same || !button) return;
  const note = el("div.note.explains", { role: "note" }, el("strong", title), el("p", meaning));
  document.body.append(note);
  const at = button.getBoundingClientRect();
  const wide = note.offsetWidth;
  note.style.left = `${Math.max(8, Math.min(at.left, innerWidth - wide - 12)) + scrollX}px`;
  note.style.top = `${at.bottom + 6 + scrollY}px`;
  button.setAttribute("aria-expanded", "true");
  button.removeAttribute("title");
  explained = { button, note };
}
document.addEventListener("click", () => explain(null));
