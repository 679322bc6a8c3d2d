"""Dataclasses that mirror conf/: the types of every key, and the defaults that no YAML file repeats."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from atlas.records import MEASURES, SCOPES

# C of the sources
CONSTANT = 200.0


@dataclass
class ModelConfig:
    """One model of the sweep, under `models.<name>`."""

    source: str = MISSING  # torchvision, timm, efficientnet_lite, patternnet, custom, or any (of the first three)
    entry: str | None = None  # the model's name in its source; null: the name it has here
    factory: str | None = None  # custom: `package.module:function`, which returns an nn.Module
    kwargs: dict[str, Any] = field(default_factory=dict)  # handed to the source's constructor
    weights: str = "default"  # default, none, or a file
    seed: int = 0  # of random weights
    input_size: int | None = None  # pixels, one side; null: what the source says
    # preprocessing of RGB in [0, 1]: one number, or one for each channel; null: what the source says
    mean: Any = None
    std: Any = None  # the same; of these above 0
    classes: str | None = None  # file of a classifier's class names; null: what the source says
    # zone: globs over layers; `layers: default` is all of them
    zones: dict[str, list[str]] = field(default_factory=dict)
    # of several octaves, pixels; null: as the sources' 299, 340, 380 for this input size
    sizes: list[int] | None = None
    steps: list[int] | None = None  # octave steps; null: 40 each


@dataclass
class MetricConfig:
    """How far the target is from the large constant C."""

    constant: float | None = CONSTANT  # C; null: the metric has none (mean)


@dataclass
class OctaveConfig:
    """One stretch of steps at one image size."""

    size: int | None = None  # pixels, of a picture its longer side; null: the model's own, or the picture's
    steps: int | None = None  # null: the model's own
    lr: list[float] = field(default_factory=lambda: [0.1, 0.1])  # start, end
    sigma: list[float] | None = None  # of the blur after each step, start, end, pixels; null: no blur
    shown: int | None = None  # pixels of the views that the model is shown; filled in for each model


@dataclass
class TransformsConfig:
    """How what the model is shown differs from the image at every step, at random, image by image."""

    edge: str = "gray"  # what lies beyond the image: gray, or wrap (its other side, as on a torus)
    pad: int = 0  # pixels of gray around the image
    jitter: list[int] = field(default_factory=lambda: [0, 0])  # pixels, before and after scaling and rotating
    shift: float = 0.0  # to any side, in parts of the image's
    scale: list[float] = field(default_factory=lambda: [1.0, 1.0])  # from, to
    rotate: float = 0.0  # degrees, to either side
    crop: list[float] | None = None  # side of a square part, from, to, of the image's; shown at the model's input size
    noise: float = 0.0  # standard deviation of what is added to a view
    views: int = 1  # of each image at every step; the loss is their mean


@dataclass
class RecipeConfig:
    """How an image is optimised. Everything here is part of a task's identity."""

    name: str = MISSING  # what the column `recipe` says
    param: str = "pixels"  # what a step changes: pixels, fourier (coefficients) or phases
    start: list[float] = MISSING  # pixels: bounds of the uniform noise; else mean and deviation of the normal one
    picture: str | None = None  # pixels: what an image begins as instead of noise, a file or sklearn:china.jpg
    spectrum: str = "1/f"  # phases: the magnitudes of 1/f, or of the pictures in a folder
    space: str = "rgb"  # rgb: in [0, 1], normalised for the model; model: in the model's own range; raw: fed as it is
    gradient: str = "raw"  # raw, or rms: divided by its own root mean square, image by image
    optimizer: str = "descent"  # descent (against the gradient alone), sgd, adam or nadam, as torch has them
    weight_decay: float = 0.0  # of sgd, adam and nadam
    clamp: bool = False  # to [0, 1] after every step
    rescue: int = 0  # first steps during which a dead image's gradient passes blocking ReLUs
    trace_every: int = 10  # steps between two scores of the trace
    precision: str = "float32"  # float32, tf32, bfloat16, or auto: as what is there already, else as the device has it
    # how what the model is shown differs from the image
    transforms: TransformsConfig = field(default_factory=TransformsConfig)
    octaves: list[OctaveConfig] = MISSING  # one after another
    amplitudes: list[list[float]] | None = None  # phases: three curves over frequency, filled in from `spectrum`


@dataclass
class ProbeConfig:
    """A set of pictures that models look at, under `probes.<name>`."""

    kind: str = MISSING  # atlas, natural, photographs or patterns
    folder: str | None = None  # natural: of pictures, searched with its subfolders
    count: int = 2000  # patterns: pictures drawn
    seed: int = 0  # patterns
    examples: int = 9  # all but atlas: pictures kept for each feature


@dataclass
class SimilarityConfig:
    """How features are compared, by what the pictures of the probes do to them."""

    measures: list[str] = field(default_factory=lambda: list(MEASURES))  # docs/similarity.md says what each is
    scopes: list[str] = field(default_factory=lambda: list(SCOPES))  # among which features neighbors are sought
    top: int = 20  # nearest neighbors kept for each feature
    bottom: int = 5  # most opposite ones
    seed: int = 0  # of the rotations
    layout: bool = True  # whether features get a place in the plane


@dataclass
class ClusterConfig:
    """Where the work runs."""

    kind: str = MISSING  # local, inline or ray
    address: str | None = None  # ray: of the running cluster
    device: str = "auto"  # auto, cpu or cuda
    # ray: names of the cards that will do, as Ray labels nodes: [H100,A100]; []: any
    accelerator: list[str] = field(default_factory=list)
    # null: as many as there is room for, one per GPU share or per CPU share
    actors: int | None = None
    gpus_per_actor: float = 1.0  # a fraction: several actors share a card
    cpus_per_actor: int | None = None  # also torch's threads; null: 2 beside a GPU, else 1
    batch: int | None = None  # images optimised at once; null: as many as fit
    # torch's compiler: never, always, or auto: on a GPU, for the layers whose work is longer than their compilation
    compile: str = "never"
    shard_seconds: float = 20.0  # work between two commits of an actor
    grace: float = 120.0  # seconds that work under way may take to finish after a signal
    deadline: float = 600.0  # seconds after which silent work counts as hung (at least; six times the usual if longer)
    start_timeout: float = 600.0  # seconds to wait for an actor's resources
    part: str | None = None  # i/n: of the images only one of n parts, for n jobs that run apart; null: all of them


@dataclass
class SweepConfig:
    """The contents page: models x layers x channels x metrics x seeds, as one run."""

    name: str = MISSING  # of the atlas
    out: str = MISSING  # its folder, or s3://bucket/prefix; outputs/NAME where nothing is said
    model: dict[str, Any] = field(default_factory=dict)  # what `model=custom` reads: model.factory, model.weights, …
    models: dict[str, ModelConfig] = field(default_factory=dict)  # by name, as `model=` chooses them
    metrics: dict[str, MetricConfig] = field(default_factory=dict)  # by name, as `metric=` chooses them
    target: dict[str, Any] = field(default_factory=dict)  # which part of a channel is driven, as `target=` chooses it
    recipe: RecipeConfig = field(default_factory=RecipeConfig)  # how images are made
    cluster: ClusterConfig = field(default_factory=ClusterConfig)  # where the work runs
    # pictures by which features are compared, as `probe=` chooses them
    probes: dict[str, ProbeConfig] = field(default_factory=dict)
    similarity: SimilarityConfig = field(default_factory=SimilarityConfig)  # how they are compared
    layers: Any = "default"  # a word, a list of globs, or a mapping from globs to channels
    channels: Any = "all"  # a word, a range (0:8), a list, or names of classes
    seeds: list[int] = field(default_factory=lambda: [0])  # an image for each
    trace: str = "score"  # what is kept along the way: score of the target; full: also every channel of the layer
    # who is shown the run in curves besides: tensorboard, wandb
    report: list[str] = field(default_factory=list)
    retry: str = "none"  # none; failed: those on record as failed; broken: those whose image is missing or changed
    dry_run: bool = False  # only the plan, and what it would cost
    calibrate: bool = False  # dry_run=calibrate: the plan, with rates that are measured here


@dataclass
class SaliencyConfig:
    """`atlas saliency`: pictures x models."""

    image: Any = MISSING  # a picture, a folder of them, or a list of such
    category: Any = None  # number or name of a class; null: the one that is predicted
    method: Any = "gradient"  # gradient, smoothgrad, integrated_gradients, grad_cam, or a list of such
    layer: str | None = None  # grad_cam: whose maps are read; null: the last whose maps are larger than 1 x 1
    samples: int = 32  # smoothgrad: noisy pictures; integrated_gradients: points on the way from black to the picture
    noise: float = 0.15  # smoothgrad: its deviation, in parts of a picture's range
    out: str = "outputs/saliency"  # the folder of maps and panels
    model: dict[str, Any] = field(default_factory=dict)  # what `model=custom` reads
    models: dict[str, ModelConfig] = field(default_factory=dict)  # by name, as `model=` chooses them
    # shares of the picture and of its map (the lab's)
    overlay: list[float] = field(default_factory=lambda: [0.15, 0.85])
    device: str = "auto"  # auto, cpu or cuda
    batch: int = 8  # pictures, or samples of one, looked at together
    threads: int | None = None  # torch's; null: 2 beside a GPU, else 1, as a worker of a sweep has


@dataclass
class DreamConfig:
    """`atlas dream`: one picture, changed for each of models x layers x channels x metrics."""

    image: str = MISSING  # a picture, or sklearn:china.jpg
    layers: Any = MISSING  # a list of globs, or a mapping from globs to channels
    channels: Any = None  # needed unless layers is a mapping
    size: int | None = None  # pixels of the longer side; null: as the picture is
    frames: int = 50  # steps between two frames that are kept
    out: str = "outputs/dream"  # the folder of frames and films
    model: dict[str, Any] = field(default_factory=dict)  # what `model=custom` reads
    models: dict[str, ModelConfig] = field(default_factory=dict)  # by name, as `model=` chooses them
    metrics: dict[str, MetricConfig] = field(default_factory=dict)  # by name, as `metric=` chooses them
    target: dict[str, Any] = field(default_factory=dict)  # which part of a channel is driven
    recipe: RecipeConfig = field(default_factory=RecipeConfig)  # how the picture is changed
    device: str = "auto"  # auto, cpu or cuda
    threads: int | None = None  # torch's; null: 2 beside a GPU, else 1, as a worker of a sweep has


@dataclass
class FigureConfig(SweepConfig):
    """`atlas figure NAME`: a sweep's keys, which say what is shown, and those of the figures themselves."""

    figure: str = MISSING  # its name
    zone: str | None = None  # layer-grid: one zone of the model's layers; null: all of `layers`
    features: int = 8  # how many are shown of a layer, where channels are not named
    frames: int = 24  # of what moves
    image: Any = "sklearn:china.jpg"  # saliency, dream, filter-vs-dream: a picture
    size: int = 320  # dream, filter-vs-dream: pixels of the picture's longer side
    category: Any = None  # saliency: number or name of a class; null: the one that is predicted
    format: Any = "png"  # png, pdf or svg, or several of them as [png,pdf]; what moves is WebP beside these
    title: bool = True  # false: no words above a figure, for a page that has a caption
