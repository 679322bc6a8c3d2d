"""The frozen records that travel between the stages: a model's layers, what is asked of it, what came of the work."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, NamedTuple, Self

MEASURES = ("raw", "z", "drive", "sym", "profile")  # of how alike two features are (docs/similarity.md)
REPEAT = "#"  # between a layer and the number of its call
SCOPES = ("layer", "model", "other", "all")  # the features that one is compared with; other: each other model by itself


@dataclass(frozen=True, slots=True)
class Layer:
    """One module of a model whose output can be looked at, as seen at the model's own input size."""

    name: str  # dotted module name, `inception4a`
    index: int  # place in order of execution, from 0
    kind: str  # class of the module, `Conv2d`
    channels: int
    height: int  # of the activation map; tokens of a transformer lie along it
    width: int  # 1 for tokens and for plain features
    zone: str  # the model's own grouping, "" where it has none
    macs: int  # multiply-adds of one forward pass from the input to here
    bytes: int  # activations that such a pass leaves behind, float32
    classes: tuple[str, ...] = ()  # names of its channels, where they are the classes of a classifier
    calls: int = 1  # in a forward pass; the second is the layer `relu#2`
    aliases: tuple[str, ...] = ()  # further names under which the same module is registered


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What the planner must know of a model: no tensors, so it can be made in one process and read in another."""

    name: str
    weights: str  # where the weights came from, for people: `default`, `none(seed 0)`, a file's name
    digest: str  # of architecture, weights and preprocessing: everything of the model that reaches a pixel
    input_size: int  # pixels, one side
    layers: tuple[Layer, ...]  # every layer, in order of execution
    chosen: tuple[str, ...]  # the names that `layers: default` stands for
    gpus: int  # CUDA devices that the process saw which made this card
    resizable: bool = True  # whether it takes images of other sizes than its own
    repeats: tuple[Layer, ...] = ()  # further calls of layers; only who names one means it
    unknown: tuple[str, ...] = ()  # modules of whose output nobody knows where its channels are
    notes: tuple[str, ...] = ()  # of the model, for the person who looks at it
    file: str | None = None  # of its weights, where the card was made; None: nobody knows of one

    @property
    def every(self) -> "tuple[Layer, ...]":
        """All that can be named: the layers, and then their further calls."""
        return self.layers + self.repeats

    @property
    def provenance(self) -> str:
        """Column `weights`: where from, and the digest."""
        return f"{self.weights}@{self.digest}"


@dataclass(frozen=True, slots=True)
class Target:
    """Which part of a channel's activation map is driven (METHODS: channel, row, neuron, cumulative, joint)."""

    kind: str = "channel"
    row: int | None = None  # None: the middle one
    col: int | None = None
    count: int | None = None  # cumulative: neurons in reading order
    partners: tuple[str, ...] = ()  # joint: addresses `model/layer:channel` driven together with the channel

    @property
    def features(self) -> "tuple[Address, ...]":
        """The addresses of the partners; ValueError where one is none."""
        return tuple(map(Address.parse, self.partners))

    @property
    def label(self) -> str:
        """Short name, unique within a sweep's layer: column `target`, and part of an image's name."""
        match self.kind:
            case "row":
                return f"row{_or_middle(self.row)}"
            case "neuron":
                return f"neuron{_or_middle(self.row)}x{_or_middle(self.col)}"
            case "cumulative":
                return f"cumulative{self.count}"
            case "joint":
                return "joint+" + "+".join(self.partners)
        return self.kind


def _or_middle(position: int | None) -> str:
    return "mid" if position is None else str(position)


class Address(NamedTuple):
    """Names a feature, which is a channel of a layer of a model; as text it is `model/layer:channel`."""

    model: str
    layer: str
    channel: int

    def __str__(self) -> str:
        return f"{self.model}/{self.layer}:{self.channel}"

    @classmethod
    def parse(cls, address: str) -> "Address":
        """Read an address; ValueError says what one looks like."""
        model, slash, rest = address.partition("/")
        layer, colon, channel = rest.rpartition(":")
        if not (slash and colon and model and layer and channel.isdecimal()):
            raise ValueError(
                f"{address!r} is no feature address: write model/layer:channel, as googlenet/inception4a:12"
            )
        return cls(model, layer, int(channel))


class Item(NamedTuple):
    """One image of an image shard: what tells it from the shard's other images."""

    channel: int
    seed: int  # of the noise that the image begins as


@dataclass(frozen=True, slots=True)
class Shard:
    """A unit of work: items that one actor works on together, with one model. Few enough that losing them costs little."""

    id: str  # hash of what it asks for: the same work has the same id
    model: str
    items: tuple[Any, ...]  # images, pictures or blocks, as its product cuts its work
    cost: float  # multiply-adds of the whole shard

    def only(self, items: tuple[Any, ...]) -> Self:
        """The same shard with only some of its items: what is left to do, or one half of it."""
        name = blake2b(f"{self.id} {items!r}".encode(), digest_size=10).hexdigest()
        return replace(self, id=name, items=items, cost=self.cost * len(items) / len(self.items))

    def continues_in(self, other: "Shard") -> bool:
        """Whether the items of another shard may be made with these, and these apart from one another."""
        return False

    def joined(self, others: Sequence["Shard"]) -> Self:
        """One shard of these items and those of others that it continues in."""
        raise TypeError(f"shards of {self.model} are made one by one")

    @property
    def runs(self) -> tuple[int, ...]:
        """Items that are worked on together, as far as memory allows: how many of the first, how many of the next, …"""
        return (len(self.items),)

    @property
    def together(self) -> int:
        """The most items that are worked on together if memory allows."""
        return max(self.runs)

    @property
    def label(self) -> str:
        """What it works on, in a few words for the person who watches a run."""
        return self.model


@dataclass(frozen=True, slots=True)
class ImageShard(Shard):
    """Images made together: one model, layer, metric and target."""

    items: tuple[Item, ...]
    layer: str
    layer_index: int
    metric: str
    variant: str  # hash of weights, recipe and metric: what else reaches a pixel
    target: Target
    trace_only: bool = False  # its images are in the index: only what every channel did along the way is wanted
    parts: tuple[int, ...] = ()  # its runs, where it was joined from several shards

    def only(self, items: tuple[Item, ...]) -> Self:
        """The same; what was worked on together and is still here stays together."""
        run_of = [number for number, size in enumerate(self.runs) for _ in range(size)]
        kept = set(items)
        sizes = Counter(run for item, run in zip(self.items, run_of, strict=True) if item in kept)
        return replace(super(ImageShard, self).only(items), parts=tuple(sizes[run] for run in sorted(sizes)))

    def continues_in(self, other: Shard) -> bool:
        return isinstance(other, ImageShard) and _nameless(self) == _nameless(other)

    def joined(self, others: Sequence[Shard]) -> Self:
        items = tuple(item for shard in (self, *others) for item in shard.items)
        name = blake2b(f"{self.id} {items!r}".encode(), digest_size=10).hexdigest()
        cost = self.cost + sum(shard.cost for shard in others)
        parts = tuple(size for shard in (self, *others) for size in shard.runs)
        return replace(self, id=name, items=items, cost=cost, parts=parts)

    @property
    def runs(self) -> tuple[int, ...]:
        return self.parts or (len(self.items),)

    @property
    def label(self) -> str:
        return f"{self.model}/{self.layer} {self.metric}"


def _nameless(shard: ImageShard) -> ImageShard:
    """What shards have in common whose items can be made together."""
    return replace(shard, id="", items=(), cost=0.0, parts=())


class Part(NamedTuple):
    """One of several jobs that make an atlas together, without a word between them; as text it is `2/8`."""

    number: int  # from 1
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Read a part; ValueError says what one looks like."""
        number, _, count = text.partition("/")
        if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
            raise ValueError("write i/n with i from 1 to n, as 1/4 for the first of four parts")
        return cls(int(number), int(count))

    def has(self, shard: Shard) -> bool:
        """Whether a shard is this part's: its identity decides, so that the same work is always the same part's."""
        return int(shard.id, 16) % self.count == self.number - 1


@dataclass(frozen=True, slots=True)
class Receipt:
    """A worker's report of a finished shard: the files in staging/ that the driver is to publish, and the counts."""

    shard: str  # its id
    files: tuple[str, ...]  # `staging/<attempt>/<path in the atlas>`, in the order in which they are published
    ok: int  # items that came out well
    dead: int  # items of dead features, which are no failures
    failed: int  # items whose failure is on record in `files`
    seconds: float
    batch: int  # items worked on at once, as many as fitted
    peak_bytes: int  # of memory: of the worker's process, or of its GPU
    notes: tuple[str, ...] = ()  # messages for the person who watches the run

    @classmethod
    def of_all(cls, shard: Shard, seconds: float, peak_bytes: int) -> Self:
        """Of a shard whose items all came out well, one after another, and whose files are nothing to publish."""
        return cls(shard.id, (), len(shard.items), 0, 0, seconds, 1, peak_bytes)
