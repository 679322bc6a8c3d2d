// Finding by words: layers, features, classes and names, families, lists; one wrong letter in a word is forgiven (uFuzzy).

const fuzzy = new uFuzzy({ intraMode: 1, intraIns: 1 }); // a letter too many, too few, another one, or two swapped, in each word
const ENTRIES = 60; // found things shown
const LETTERS = 3; // of a word that may be misspelt: shorter ones would be anything

let index = null; // {entries, texts}: what can be found, and by which words

/** Where a channel's number may lead, and what all else may lead to. */
function everything() {
  if (index) return index;
  const entries = whole.layers.map((layer) => ({ layer, text: nameOf(layer) }));
  const called = new Map(); // name → features
  for (const layer of whole.layers)
    for (const [channel, name] of Object.entries(layer.names))
      if (layer.place.has(Number(channel)))
        called
          .set(name, called.get(name) || [])
          .get(name)
          .push({ layer, channel: Number(channel) });
  for (const [name, features] of called) {
    if (features.length > 1)
      entries.push({
        text: name,
        title: name,
        note: count(features.length, "feature"),
        href: routes.all({ name: `"${name}"` }),
        ...features[0],
      });
    for (const one of features) entries.push({ ...one, text: `${name} ${nameOf(one.layer)}` });
  }
  for (const layer of whole.layers)
    layer.families.forEach(([name, size, channel], k) =>
      entries.push({
        layer,
        channel,
        text: `${name || ""} family ${k + 1} ${nameOf(layer)}`,
        title: familyTitle(name, k),
        note: `${nameOf(layer)}, ${count(size, "feature")}`,
        href: routes.family(layer, k),
      }),
    );
  for (const { title, words, href } of listLinks()) entries.push({ text: `${title} ${words}`, title, note: "list", href });
  for (const model of whole.data.models)
    if (hasMap(model)) entries.push({ text: `map ${model.name}`, title: `Map of ${model.name}`, href: routes.map(model) });
  index = { entries, texts: entries.map(({ text }) => text.toLowerCase()) };
  return index;
}

/** What a text means, best first: {layer}, {layer, channel}, or {title, note, href}. */
function find(text) {
  const exact = parseAddress(text.trim());
  if (exact) return [exact];
  const words = wordsOf(text);
  if (!words.length) return whole.layers.slice(0, ENTRIES).map((layer) => ({ layer }));
  const { entries, texts } = everything();
  const found = ranked(texts, words).map((k) => entries[k]);
  if (!/^\d+$/.test(words.at(-1))) return found.slice(0, ENTRIES);
  const channel = Number(words.at(-1));
  const rest = words.slice(0, -1);
  const layers = rest.length
    ? ranked(
        whole.layers.map((layer) => nameOf(layer).toLowerCase()),
        rest,
      ).map((k) => whole.layers[k])
    : whole.layers;
  const exactly = layers.filter((layer) => layer.place.has(channel)).map((layer) => ({ layer, channel }));
  return (rest.length ? [...exactly, ...found] : [...found, ...exactly]).slice(0, ENTRIES);
}

const wordsOf = (text) =>
  text
    .toLowerCase()
    .split(/[\s/:,"]+/)
    .filter(Boolean);

/** Numbers of the texts that hold all words in any order, best first: those with the words as they were typed, or else misspelt ones. */
function ranked(texts, words) {
  const plain = texts.flatMap((text, k) => (words.every((word) => text.includes(word)) ? [[closeness(text, words), k]] : []));
  if (plain.length) return plain.sort((a, b) => b[0] - a[0] || a[1] - b[1]).map(([, k]) => k);
  return misspelt(texts, words).sort((a, b) => texts[a].length - texts[b].length || a - b);
}

/** More for whole parts than for pieces, and for a text that is little more than the words. */
function closeness(text, words) {
  const parts = text.split(/[^a-z0-9]+/);
  const sum = words.reduce(
    (all, word) => all + (parts.includes(word) ? 1 : parts.some((one) => one.startsWith(word) || one.endsWith(word)) ? 0.7 : 0.4),
    0,
  );
  return sum + 0.5 / parts.length;
}

/** Texts in which each word stands, some with one wrong letter. */
function misspelt(texts, words) {
  let left = texts.map((_, k) => k);
  for (const word of words) {
    const some = left.map((k) => texts[k]);
    const near = word.length < LETTERS ? null : fuzzy.filter(some, word);
    left = near ? near.map((k) => left[k]) : left.filter((k) => texts[k].includes(word));
  }
  return left;
}

/**
 * What a text means where features are filtered, not listed, as {is(layer, channel), sql}: a number the channel, in quotes the
 * name as it is, words the names and layers that hold them, misspelt ones only where nothing in the atlas holds them as typed.
 */
function meaningOf(text) {
  const said = text.trim();
  const exactly = said.match(/^"(.*)"$/)?.[1];
  if (exactly !== undefined)
    return { is: (layer, channel) => calledOf(layer, channel) === exactly, sql: `name = '${sqlText(exactly)}'` };
  const words = wordsOf(said);
  if (!words.length) return { is: () => true, sql: null };
  if (words.length === 1 && /^\d+$/.test(words[0]))
    return { is: (_, channel) => channel === Number(words[0]), sql: `channel = ${Number(words[0])}` };
  const texts = (allTexts ||= namedTexts(whole.layers));
  const found = ranked(texts, words).map((k) => texts[k]);
  const meant = new Set(found);
  const plain = found.length > 0 && words.every((word) => found[0].includes(word));
  const has = (word) => `contains(${TEXT_SQL}, '${sqlText(word)}')`;
  return {
    is: (layer, channel) => meant.has(textOf(layer, channel)),
    sql: plain ? words.map(has).join(" and ") : `${TEXT_SQL} in (${found.map((one) => `'${sqlText(one)}'`).join(", ")})`,
  };
}

/** The texts that are nearest to one, by how many letters are to be changed; none where more than half of it are. */
function nearestTexts(text, texts) {
  const apart = texts.map((one) => [editsBetween(text.toLowerCase(), one.toLowerCase()), one]);
  const near = apart.filter(([edits]) => edits <= text.length / 2).sort((a, b) => a[0] - b[0]);
  return near.slice(0, 3).map(([, one]) => one);
}

/** How many letters are to be put in, taken out or replaced (Levenshtein). */
function editsBetween(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, k) => k);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] !== b[j - 1])));
    row = next;
  }
  return row.at(-1);
}

/** What a filter by name might have meant, where nothing in some layers is like it: its first word that nothing there holds, changed. */
function nearMeanings(text, layers) {
  const [words, texts] = [wordsOf(text), namedTexts(layers)];
  if (ranked(texts, words).length) return [];
  const wrong = words.findIndex((word) => !misspelt(texts, [word]).length);
  const there = [...new Set(texts.flatMap(wordsOf))];
  return wrong < 0 ? [] : nearestTexts(words[wrong], there).map((near) => words.map((word, k) => (k === wrong ? near : word)).join(" "));
}

/** The same as links: the page that is shown, with that word of its query changed. layers: those that it shows. */
function offered(key, text, layers) {
  const links = nearMeanings(text || "", layers).map(
    (near, k) => html`${k > 0 && " or "}<a href=${withQuery(pathNow(), { ...parseRoute(location.hash).query, [key]: near })}>${near}</a>`,
  );
  return links.length > 0 && [" Did you mean ", links, "?"];
}

const textOf = (layer, channel) => `${calledOf(layer, channel) || ""} ${nameOf(layer)}`.toLowerCase();
const TEXT_SQL = "lower(concat(name, ' ', model, '/', layer))"; // the same in DuckDB

/** All that words may be found in: each name beside its layer, once. */
const namedTexts = (layers) => [...new Set(layers.flatMap((layer) => layer.list.map((channel) => textOf(layer, channel))))];
let allTexts = null;
