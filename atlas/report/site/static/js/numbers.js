// Numbers as people read them.

const SIGN = "\u2212"; // a real minus

/** A score with as many digits as say something. */
function number(value, digits = 2) {
  if (value === null || value === undefined) return "\u2013";
  const size = Math.abs(value);
  if (size > 0 && size < 0.5 * 10 ** -digits) return value.toExponential(0).replaceAll("-", SIGN);
  const text =
    size >= 1000
      ? Math.round(size).toLocaleString("en")
      : size >= 100
        ? size.toFixed(0)
        : size >= 10
          ? size.toFixed(Math.min(digits, 1))
          : size.toFixed(digits);
  return value < 0 && Number(text.replace(/,/g, "")) !== 0 ? SIGN + text : text;
}

function count(value, noun) {
  const many = value === 1 ? noun : noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${value.toLocaleString("en")} ${many}`;
}

/** A name that is cut in its middle: of many that begin alike, the ends tell which is which. Whoever cuts one shows it all beside. */
function cutName(text, most) {
  if (text.length <= most) return text;
  const tail = Math.max(1, Math.floor((most - 1) / 2));
  return `${text.slice(0, Math.max(1, most - 1 - tail))}\u2026${text.slice(-tail)}`;
}

/** As many digits as steps of this width can tell apart. */
const digitsOf = (step) => Math.max(0, Math.min(3, Math.floor(-Math.log10(step / 2 || 1e-9))));

/** 2026-11-21T17:42:58+00:00 as 21 Nov 2026, 17:42 UTC. */
function moment(iso) {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso || "";
  const day = time.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  return `${day}, ${time.toISOString().slice(11, 16)} UTC`;
}
