"""Every path under an atlas, and how a name becomes part of one. No other module joins such paths."""

import re
from hashlib import sha1
from itertools import accumulate
from pathlib import Path
from urllib.parse import quote

from atlas.records import Address, Part, Target
from atlas.store.bucket_path import path_of

# How the path of an image ends whose weights or recipe are not the atlas's first.
VARIANT_ENDING = r"-v([0-9a-f]{6})\.png$"
# How the name of a file ends that belongs to one of several parts of a job.
PART_ENDING = r"-(\d+)-of-(\d+)(\.|$)"
# Characters of a name in a path: file systems end at 255 bytes, of which `layer=` and endings are part.
LONGEST_NAME = 249
LONGEST_LABEL = 80  # characters of a target in a file name (file systems end at 255); a longer one becomes its hash


def safe(name: str, longest: int = LONGEST_NAME) -> str:
    """Turn a name into one folder or file name: letters, digits and `_.~-` stay, all else is percent-encoded.

    Names come from users' models, so `../x`, `a/b` and `<b>` must stay inside the atlas; a leading dot is encoded too.
    Of a name that becomes longer than `longest`, only the beginning stays, and the hash of the whole.
    """
    encoded = [quote(character, safe="") for character in name]
    if name.startswith("."):
        encoded[0] = "%2E"
    whole = "".join(encoded)
    if len(whole) <= longest:
        return whole
    digest = sha1(name.encode()).hexdigest()[:10]
    beginnings = accumulate(encoded)
    return max((begin for begin in beginnings if len(begin) < longest - len(digest)), key=len) + f"~{digest}"


class AtlasPaths:
    """The layout of one atlas, in a folder or below a URL (README: outputs/)."""

    def __init__(self, root: str | Path) -> None:
        self.root = path_of(root)
        self.manifest = self.root / "atlas.json"
        self.status = self.root / "status.json"
        self.events = self.root / "events.jsonl"
        self.lock = self.root / "lock"
        self.config = self.root / "config"
        self.plans = self.root / "plans"
        self.classes = self.root / "classes.parquet"
        self.index = self.root / "index"
        self.images = self.root / "images"
        self.failures = self.root / "failures"
        self.starts = self.root / "starts"
        self.traces = self.root / "traces"
        self.sheets = self.root / "sheets"
        self.responses = self.root / "responses"
        self.places = self.root / "places"
        self.examples = self.root / "examples"
        self.pictures = self.root / "pictures"
        self.neighbors = self.root / "neighbors"
        self.layers = self.root / "layers.parquet"
        self.matches = self.root / "matches.parquet"
        self.quality = self.root / "quality.parquet"
        self.moments = self.root / "moments.parquet"
        self.names = self.root / "names.parquet"
        self.clusters = self.root / "clusters.parquet"
        self.layout = self.root / "layout.parquet"
        self.similarity = self.root / "similarity.json"
        self.maps = self.root / "maps"
        self.site = self.root / "site"
        self.site_page = self.site / "index.html"
        self.site_ledger = self.site / "made.json"
        self.site_overview = self.site / "data" / "atlas.js"
        self.sql = self.root / "atlas.sql"
        self.staging = self.root / "staging"

    @property
    def name(self) -> str:
        """What the atlas is called among others: the name of its folder, or of the bucket that it fills."""
        return self.root.name or str(self.root.absolute()).rpartition("/")[2]

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that hold files of the atlas, finished ones and those that are being written."""
        tables = (self.plans, self.index, self.failures, self.traces, self.responses, self.places, self.examples)
        pictures = (self.images, self.starts, self.sheets, self.pictures, self.maps, self.site)
        return (self.config, *tables, self.neighbors, *pictures)

    def lock_of(self, part: Part | None) -> Path:
        """The lock of a part; None: of the whole atlas."""
        return self._of_part(self.lock, part)

    def status_of(self, part: Part | None) -> Path:
        """How far a part is; None: the one job that makes the atlas."""
        return self._of_part(self.status, part)

    def events_of(self, part: Part | None) -> Path:
        """What has happened to a part; None: to the one job that makes the atlas."""
        return self._of_part(self.events, part)

    def parts(self) -> list[Part]:
        """The parts that have a lock or a status, in order."""
        names = (path.name for kind in ("lock", "status") for path in self.root.glob(f"{kind}-*-of-*"))
        matches = (re.search(PART_ENDING, name) for name in names)
        return sorted({Part(int(match[1]), int(match[2])) for match in matches if match}, key=lambda p: (p.count, p))

    @staticmethod
    def _of_part(path: Path, part: Part | None) -> Path:
        return path if part is None else path.with_name(f"{path.stem}-{part.number}-of-{part.count}{path.suffix}")

    def layer_index(self, model: str, layer: str) -> Path:
        """Folder of a layer's finished rows; hive-partitioned, so any reader sees model and layer."""
        return self.index / f"model={safe(model)}" / f"layer={safe(layer)}"

    def shard_index(self, model: str, layer: str, shard: str) -> Path:
        """The finished rows of a shard."""
        return self.layer_index(model, layer) / f"{shard}.parquet"

    def pulse(self, shard: str) -> Path:
        """How far a shard is that is worked on."""
        return self.staging / f"{shard}.pulse"

    def shard_failures(self, shard: str) -> Path:
        """The rows of a shard that failed."""
        return self.failures / f"{shard}.parquet"

    def start(self, digest: str) -> Path:
        """A picture that images start from."""
        return self.starts / f"{digest}.png"

    def layer_traces(self, model: str, layer: str) -> Path:
        """Folder of what every channel of a layer did while its images were made."""
        return self.traces / f"model={safe(model)}" / f"layer={safe(layer)}"

    def layer_responses(self, probe: str, model: str, layer: str) -> Path:
        """Folder of what the pictures of a probe do to a layer."""
        return self.responses / f"probe={safe(probe)}" / f"model={safe(model)}" / f"layer={safe(layer)}"

    def layer_places(self, probe: str, model: str, layer: str) -> Path:
        """Folder of where on pictures of a probe a layer's channels are driven most."""
        return self.places / f"probe={safe(probe)}" / f"model={safe(model)}" / f"layer={safe(layer)}"

    def probe_examples(self, probe: str) -> Path:
        """The table of the pictures that drive each feature most."""
        return self.examples / f"probe={safe(probe)}" / "examples.parquet"

    def probe_pictures(self, probe: str) -> Path:
        """Folder of copies of those pictures; apart, so that readers of folders find nothing but tables."""
        return self.pictures / safe(probe)

    def neighbor_table(self, scope: str, measure: str, probe: str) -> Path:
        """The neighbors of every feature, by one measure on one probe."""
        return self.neighbors / f"scope={scope}" / f"measure={measure}" / f"{safe(probe)}.parquet"

    def map(self, model: str, layer: str, measure: str, probe: str = "atlas") -> Path:
        """A layer's similarity map without its ending: .png the picture, .npy the matrix, .order.npy the channels."""
        name = measure if probe == "atlas" else f"{measure}-{probe}"
        return self.maps / safe(model) / safe(layer) / safe(name)

    def layout_picture(self, model: str, probe: str = "atlas") -> Path:
        """A model's features on a plane."""
        return self.maps / safe(model) / ("layout.png" if probe == "atlas" else f"layout-{safe(probe)}.png")

    def sheet(self, model: str, layer: str, name: str) -> Path:
        """A contact sheet; name: the metric of a layer's images, or `feature-<channel>`."""
        return self.sheets / safe(model) / safe(layer) / f"{safe(name)}.png"

    @staticmethod
    def site_layer(model: str, layer: str, version: str) -> str:
        """Folder of a version of a layer, below each of those that the site keeps."""
        return f"{safe(model)}/{safe(layer)}/{version}"

    def site_map(self, model: str) -> Path:
        """A model's features on a plane, as the site shows them."""
        return self.site / "data" / "maps" / f"{safe(model)}.js"

    def site_mosaic(self, model: str, probe: str) -> Path:
        """The thumbnails of a map side by side, as one picture."""
        return self.site / "maps" / safe(model) / f"{safe(probe)}.webp"

    def site_band(self, model: str) -> Path:
        """The middle of a map, as it stands on the first page."""
        return self.site / "bands" / f"{safe(model)}.webp"

    def site_list(self, kind: str) -> Path:
        """Rows of the whole atlas: `pairs`, `matches`, `hubs`."""
        return self.site / "data" / "lists" / f"{kind}.js"

    def site_data(self, layer: str, name: str) -> Path:
        """What the site shows of a layer: `layer`, `features-<k>`, `matrix-<measure>`. layer: `site_layer`."""
        return self.site / "data" / "layers" / layer / f"{name}.js"

    def site_sprites(self, layer: str, name: str) -> Path:
        """Thumbnails of a layer: `<set>-<k>`, `samples`."""
        return self.site / "sprites" / layer / f"{name}.webp"

    def site_key(self, file: Path) -> str:
        """The name by which a data file of the site is asked for: its place without its ending."""
        return file.relative_to(self.site / "data").with_suffix("").as_posix()

    def relative(self, path: Path) -> str:
        """A path as it is written into rows: relative to the atlas, with forward slashes."""
        return path.relative_to(self.root).as_posix()


def image_path(feature: Address, metric: str, target: Target, seed: int, variant: str = "") -> str:
    """Where an image lies, relative to the atlas: `images/<m>/<l>/<metric>/<channel>[-<target>][-s<seed>].png`.

    `variant` marks images of changed weights or a changed recipe, which must not overwrite those that the atlas holds.
    """
    parts = [str(feature.channel)]
    if target.kind != "channel":
        parts.append(target_part(target))
    if seed != 0:
        parts.append(f"s{seed}")
    if variant:
        parts.append(f"v{variant}")
    return "/".join(("images", safe(feature.model), safe(feature.layer), safe(metric), "-".join(parts) + ".png"))


def target_part(target: Target) -> str:
    """A target as part of a file's name."""
    label = safe(target.label)
    return label if len(label) <= LONGEST_LABEL else f"{target.kind}{sha1(label.encode()).hexdigest()[:10]}"
