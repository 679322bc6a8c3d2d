// The atlas as the pages see it: models, layers, channels, sets of images, and where each of them lies.

const STATES = { o: "ok", d: "dead", f: "failed", l: "left", ".": "none" };

const whole = { data: null, layers: [], byAddress: new Map() };

/** Take the overview in: number layers, link them to their models, spread their ranges of channels. */
function takeOverview(data) {
  whole.data = data;
  for (const model of data.models) {
    for (const layer of model.layers) {
      layer.model = model;
      layer.number = whole.layers.length;
      layer.list = layer.channels.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, k) => first + k));
      layer.place = new Map(layer.list.map((channel, place) => [channel, place]));
      layer.features = { ok: 0, dead: 0, failed: 0, left: 0 };
      for (const letter of layer.state) layer.features[STATES[letter]] += 1;
      whole.layers.push(layer);
      whole.byAddress.set(`${model.name}/${layer.name}`, layer);
    }
  }
}

const layerOf = (model, name) => whole.byAddress.get(`${model}/${name}`);
const modelOf = (name) => whole.data.models.find((model) => model.name === name);
const addressOf = (layer, channel) => `${layer.model.name}/${layer.name}:${channel}`;
/** What a channel stands for, as the class of a classifier's output; undefined where nobody has named it. */
const calledOf = (layer, channel) => layer.names[channel];
const nameOf = (layer) => `${layer.model.name}/${layer.name}`;

/** layer and channel of an address model/layer:channel, or null. */
function parseAddress(text) {
  const end = text.lastIndexOf(":");
  const layer = whole.byAddress.get(text.slice(0, end));
  const channel = /^\d+$/.test(text.slice(end + 1)) ? Number(text.slice(end + 1)) : -1;
  return end > 0 && layer && layer.place.has(channel) ? { layer, channel } : null;
}

const stateOf = (layer, channel) => STATES[layer.state[layer.place.get(channel)]] ?? "none";
const standing = (layer, channel) => layer.stands[channel] ?? 0;

/** Where a picture of the atlas lies, seen from the site. */
const placeOf = (path) => `${whole.data.images.root}${url(`${path}${whole.data.images.ending}`)}`;
function imageOf(layer, channel, set) {
  const { folder, suffix } = layer.sets[set];
  return placeOf(`${folder}${channel}${suffix}`);
}

const hasMap = (model) => Object.keys(model.maps).length > 0;
/** The picture of a model's map. */
const mosaicOf = (model, probe = Object.keys(model.maps)[0]) => `maps/${url(`${model.path}/${model.maps[probe]}`)}.webp`;

/** The sheet and the cell of a channel's thumbnail. */
function spriteOf(layer, channel, set) {
  const side = whole.data.sheet;
  const place = layer.place.get(channel);
  const sheet = Math.floor(place / side ** 2);
  const cell = place % side ** 2;
  return {
    source: `sprites/${url(`${layer.path}/${layer.sets[set].key}-${sheet}`)}.webp`,
    column: cell % side,
    row: Math.floor(cell / side),
  };
}

/** What tells a set from the others of its layer, in words. */
function setLabel(layer, set) {
  const mine = layer.sets[set];
  const differing = (name) => new Set(layer.sets.map((one) => one[name])).size > 1;
  const words = [mine.metric];
  if (mine.target !== "channel" || differing("target")) words.push(mine.target);
  if (differing("seed")) words.push(`seed ${mine.seed}`);
  if (differing("recipe")) words.push(mine.recipe);
  if (mine.variant) words.push(mine.variant);
  return words.join(" \u00b7 ");
}

const setOptions = (layer) => layer.sets.map((one, k) => [one.key, setLabel(layer, k)]);
const setByKey = (layer, key) =>
  Math.max(
    0,
    layer.sets.findIndex((one) => one.key === key),
  );

const MODEL_COLOURS = ["#2f6db5", "#c8591d", "#2d8a57", "#8c51ab", "#b5890f", "#c23a60", "#168b8f", "#6c7078"];
const colourOfModel = (model) => MODEL_COLOURS[whole.data.models.indexOf(model) % MODEL_COLOURS.length];

/** All that is known of a feature; its neighbors by list, as objects. */
const details = (layer, channel) =>
  load(`layers/${layer.path}/features-${Math.floor(layer.place.get(channel) / whole.data.chunk)}`).then((chunk) => {
    const feature = chunk.features[channel];
    const lists = Object.entries(feature.neighbors).map(([name, list]) => [
      name,
      neighborsOf(list, chunk.layers, chunk.steps[name]),
    ]);
    return { ...feature, neighbors: Object.fromEntries(lists) };
  });
const gridOf = (layer) => load(`layers/${layer.path}/layer`);

/** A list of neighbors out of its columns, as report/site/neighbors.py has them; those of layers that are not in the atlas are left out. */
function neighborsOf([near, layer, channel, reverse, falls, excess], layers, step) {
  let score = 0;
  return channel
    .map((one, k) => ({
      sign: k < near ? 1 : -1,
      layer: layerOf(...layers[Array.isArray(layer) ? layer[k] : layer]),
      channel: one,
      rank: k < near ? k + 1 : k + 1 - near,
      reverse: reverse[k],
      ...scored((score -= falls[k]), excess[k], step),
    }))
    .filter((one) => one.layer?.place.has(one.channel));
}

/** A score, and the baseline that it exceeds by so much; both come in steps. */
const scored = (score, excess, step) => ({ score: score * step, baseline: excess === null ? null : (score - excess) * step });
