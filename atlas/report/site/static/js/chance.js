// What is beyond chance: each score stands beside the baseline of mixed channels, and says something by as much as it goes beyond.

/** Whether a neighbor is more like it, or an opposite more unlike it, than chance gives; unknown counts as so. */
const isBeyond = ({ score, baseline, sign = 1 }) => baseline === null || baseline === undefined || sign * (score - baseline) > 0;

const parted = (rows) => ({ above: rows.filter(isBeyond), within: rows.filter((row) => !isBeyond(row)) });

/** What is folded away, drawn when it is opened, or at once where what is sought lies in it. */
function folded(summary, draw, open = false) {
  const box = html`<details.folded open=${open}><summary>${summary}</summary></details>`;
  if (open) box.append(...[draw()].flat());
  else box.addEventListener("toggle", () => box.append(...[draw()].flat()), { once: true });
  return box;
}

/** How much of the largest score; the tick is what chance gives. Of opposites it is how far below zero. */
function scoreBar({ score, baseline, sign = 1, reverse }, most) {
  const known = baseline !== null && baseline !== undefined;
  const width = (value) => `${Math.min(100, (100 * Math.max(0, sign * value)) / (most || 1))}%`;
  const said = [
    `score ${number(score)}`,
    known && `by chance ${number(baseline)}`,
    reverse !== undefined &&
      (reverse ? `it stands ${ordinal(reverse)} in the other\u2019s list` : "it does not stand in the other\u2019s list"),
  ]
    .filter(Boolean)
    .join(", ");
  return html`<span.score title=${said}>
    <span.number>${number(score)}</span>
    <span class=${`bar${sign < 0 ? " below" : ""}${isBeyond({ score, baseline, sign }) ? "" : " within"}`} role="img" aria-label=${said}>
      <span.fill style=${{ width: width(score) }}></span>${known && html`<span.tick style=${{ left: width(baseline) }}></span>`}
    </span>
  </span>`;
}
