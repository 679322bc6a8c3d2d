"""Weights: loaded whole from the sources' caches and from files, never run as code, and refused with a reason."""

import pickle
import warnings
from argparse import Namespace
from datetime import datetime
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.zoo.architecture import seeded
from atlas.zoo.load import Loaded, load
from atlas.zoo.sources import architecture
from atlas.zoo.statefile import read_state
from atlas.zoo.torchvision_ops import torchvision
from atlas.zoo.weights import digest, fill


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch's cache of downloads, empty, on a machine without internet."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # nothing listens there
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model hub's cache, empty and offline."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def patternnet(weights: str | Path = "none", **settings: object) -> Loaded:
    return load("patternnet", ModelConfig(source="patternnet", weights=str(weights), **settings))


@pytest.fixture
def state() -> dict[str, Tensor]:
    """A state dict of a PatternNet."""
    return {key: value.contiguous() for key, value in patternnet(seed=5).model.state_dict().items()}


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, b.state_dict()[k]) for k, x in a.state_dict().items())


def test_the_default_is_what_torchvision_loads_with_its_own_preprocessing(checkpoints: Path) -> None:
    weights = torchvision().models.get_weight("GoogLeNet_Weights.DEFAULT")
    file = checkpoints / weights.url.rpartition("/")[2]
    with seeded(3):
        whole = torchvision().models.GoogLeNet(init_weights=False)
        for module in whole.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-0.5, 0.5)
    torch.save(whole.state_dict(), file)
    theirs = torchvision().models.get_model("googlenet", weights="DEFAULT").eval()
    images = torch.rand(1, 3, 224, 224)
    expected = theirs(weights.transforms(resize_size=224)(images))
    default = load("googlenet", ModelConfig(source="torchvision"))
    from_file = load("googlenet", ModelConfig(source="torchvision", weights=str(file)))
    for ours in (default, from_file):
        torch.testing.assert_close(ours.model(ours.preprocess(images)), expected)
    assert default.digest == from_file.digest
    assert default.file == from_file.file == str(file)
    assert (default.weights, from_file.weights) == ("default", file.name)
    assert not any(name.startswith("aux") for name, _ in default.model.named_modules())


def test_inception_drops_its_heads_after_loading(checkpoints: Path) -> None:
    weights = torchvision().models.get_weight("Inception_V3_Weights.DEFAULT")
    whole = torchvision().models.Inception3(init_weights=False)
    torch.save(whole.state_dict(), checkpoints / weights.url.rpartition("/")[2])
    model = load("inception_v3", ModelConfig(source="torchvision")).model
    assert model.transform_input
    assert model.AuxLogits is None
    assert torch.equal(model.fc.weight, whole.fc.weight)


def test_timm_loads_from_its_cache(hub: Path) -> None:
    repository = hub / "models--timm--test_resnet.r160_in1k"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    (repository / "snapshots" / "abc").mkdir(parents=True)
    made = architecture("test_resnet", ModelConfig(source="timm", seed=9)).bare()
    file = repository / "snapshots" / "abc" / "model.safetensors"
    safetensors.torch.save_file(made.state_dict(), file)
    loaded = load("test_resnet", ModelConfig(source="timm"))
    assert same(loaded.model, made)
    assert loaded.file == str(file)
    assert loaded.digest == load("test_resnet", ModelConfig(source="timm", weights=str(file))).digest


@pytest.mark.parametrize(
    ("name", "source", "file"),
    [("resnet18", "torchvision", "resnet18-f37072fd.pth"), ("test_vit", "timm", "models--timm--test_vit.r160_in1k")],
)
def test_without_internet_the_ways_on_are_told(checkpoints: Path, hub: Path, name: str, source: str, file: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(name, ModelConfig(source=source))
    assert len(caught.value.mistakes) == 1
    folder = checkpoints if source == "torchvision" else hub
    for part in (f"models.{name}.weights=default: {file} is not in {folder}", "put it there", "=FILE", "=none"):
        assert part in str(caught.value)


def test_a_broken_file_in_the_cache_is_told(checkpoints: Path) -> None:
    (checkpoints / "resnet18-f37072fd.pth").write_bytes(b"not a state dict")
    with pytest.raises(ConfigError, match=r"resnet18-f37072fd.pth is broken, remove it"):
        load("resnet18", ModelConfig(source="torchvision"))


def test_a_model_without_published_weights_says_so() -> None:
    with pytest.raises(ConfigError, match=r"models\.mine\.weights=default: timm has no weights of botnet50ts_256"):
        load("mine", ModelConfig(source="timm", entry="botnet50ts_256"))


def test_the_shipped_weights_load() -> None:
    shipped, random = patternnet("default"), patternnet("none")
    assert shipped.digest != random.digest
    assert shipped.file is not None and Path(shipped.file).is_file()
    assert random.file is None


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth", ".bin", ".ckpt"])
def test_every_kind_of_file_gives_the_same_model(tmp_path: Path, state: dict[str, Tensor], suffix: str) -> None:
    file = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        safetensors.torch.save_file(state, file)
    else:
        torch.save(state, file, _use_new_zipfile_serialization=suffix != ".bin")
    loaded = patternnet(file)
    assert same(loaded.model, patternnet(seed=5).model)
    assert loaded.digest == patternnet(seed=5).digest
    assert loaded.weights == file.name


@pytest.mark.parametrize("wrapped", ["state_dict", "model", "module", "both"])
def test_what_training_scripts_wrap_around_is_taken_off(tmp_path: Path, state: dict[str, Tensor], wrapped: str) -> None:
    prefixed = {f"module.{key}": value for key, value in state.items()}
    content = {
        "state_dict": {"epoch": 3, "state_dict": state},
        "model": {"model": state, "optimizer": {"lr": 0.1}},
        "module": prefixed,
        "both": {"state_dict": prefixed},
    }
    torch.save(content[wrapped], tmp_path / "w.pt")
    assert same(patternnet(tmp_path / "w.pt").model, patternnet(seed=5).model)


def test_relative_paths_and_the_home_folder_work(
    tmp_path: Path, state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(state, tmp_path / "w.pt")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert patternnet("w.pt").digest == patternnet("~/w.pt").digest == patternnet(seed=5).digest


class Trap:
    """A pickle that writes a file when it is read."""

    def __init__(self, target: Path):
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return Path.write_text, (self.target, "sprung")


@pytest.mark.parametrize("writer", [torch.save, lambda content, file: file.write_bytes(pickle.dumps(content))])
def test_a_pickle_that_would_run_code_is_refused_and_not_run(tmp_path: Path, writer: object) -> None:
    file, target = tmp_path / "w.pt", tmp_path / "sprung"
    writer({"conv1.weight": Trap(target)}, file)
    with pytest.raises(ConfigError, match=r"w\.pt: refused, for it is a pickle that could run code .*state_dict\(\)"):
        patternnet(file)
    assert not target.exists()


def test_a_whole_pickled_model_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "model.pt")
    with pytest.raises(ConfigError, match=r"pickle that could run code .*torch\.nn.*Linear"):
        patternnet(tmp_path / "model.pt")


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("gone.pt", None, "there is no such file"),
        (".", None, "it is a folder"),
        ("w.onnx", b"x", "the file is broken or truncated"),
        ("w.pt", b"", "the file is empty"),
        ("w.pt", b"nonsense of some length", "broken or truncated"),
        ("w.safetensors", b"", "the file is empty"),
        ("w.safetensors", b"nonsense of some length", "broken or truncated"),
    ],
)
def test_what_is_no_file_of_weights_is_refused(tmp_path: Path, name: str, content: bytes | None, what: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^models\.patternnet\.weights={tmp_path}.*: .*{what}"):
        patternnet(tmp_path / name)


@pytest.mark.parametrize("suffix", [".pt", ".bin", ".safetensors"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, state: dict[str, Tensor], suffix: str, kept: float) -> None:
    file = tmp_path / f"w{suffix}"
    if suffix == ".safetensors":
        safetensors.torch.save_file(state, file)
    else:
        torch.save(state, file, _use_new_zipfile_serialization=suffix != ".bin")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(ConfigError, match="broken or truncated"):
        patternnet(file)


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {}, {"state_dict": {"a": 1}}])
def test_a_file_without_a_state_dict_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(ConfigError, match=r"and no state dict; save model\.state_dict\(\)"):
        patternnet(tmp_path / "w.pt")


def test_weights_of_another_model_are_refused_with_the_differences(tmp_path: Path, state: dict[str, Tensor]) -> None:
    wrong = {k: v for k, v in state.items() if not k.startswith("conv3.norm")} | {"neck.weight": torch.ones(1)}
    wrong["logits.weight"] = torch.ones(10, 128)
    torch.save(wrong, tmp_path / "w.pt")
    with pytest.raises(ConfigError) as caught:
        patternnet(tmp_path / "w.pt")
    assert "4 missing (conv3.norm.weight, conv3.norm.bias, conv3.norm.running_mean, …)" in str(caught.value)
    assert "1 unexpected (neck.weight)" in str(caught.value)
    assert "1 of another shape (logits.weight (10, 128) for (16, 128))" in str(caught.value)


def test_nothing_is_half_loaded(state: dict[str, Tensor]) -> None:
    model = patternnet(seed=1).model
    with pytest.raises(ConfigError):
        fill("here", model, {**state, "logits.weight": torch.ones(1)})
    assert same(model, patternnet(seed=1).model)


def test_the_digest_is_of_all_that_reaches_a_pixel_and_of_nothing_else(state: dict[str, Tensor]) -> None:
    config = ModelConfig(source="patternnet")
    built = architecture("patternnet", config)
    known = digest(state, built, {})
    assert len(known) == 16
    assert int(known, 16)
    moved = {k: v.to(memory_format=torch.channels_last) if v.ndim == 4 else v for k, v in reversed(state.items())}
    assert digest(moved, built, {}) == known
    assert digest({**state, "conv1.norm.num_batches_tracked": torch.tensor(7)}, built, {}) == known
    assert digest(state, architecture("other_name", ModelConfig(source="patternnet", input_size=96)), {}) == known
    nudged = state["conv4.conv.weight"].clone()
    nudged[3, 2, 1, 0] = nudged[3, 2, 1, 0].nextafter(torch.tensor(9.0))
    others = [
        digest({**state, "conv4.conv.weight": nudged}, built, {}),
        digest(state, built, {"width": 2}),
        digest(state, architecture("patternnet", ModelConfig(source="patternnet", mean=[0.4, 0.5, 0.5])), {}),
        digest({k: v.bfloat16() if v.is_floating_point() else v for k, v in state.items()}, built, {}),
    ]
    assert len({known, *others}) == 5


def test_custom_models_keep_what_their_factory_gave_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(tmp_path, "given_models.py").write_text("import torch\ndef one():\n    return torch.nn.Conv2d(3, 2, 1)")
    monkeypatch.syspath_prepend(tmp_path)
    first, again = (load("custom", ModelConfig(source="custom", factory="given_models:one")) for _ in range(2))
    assert first.digest == again.digest
    assert first.file is None, "only the factory knows"
    torch.save({"weight": torch.ones(2, 3, 1, 1), "bias": torch.zeros(2)}, tmp_path / "w.pt")
    config = ModelConfig(source="custom", factory="given_models:one", weights=str(tmp_path / "w.pt"))
    assert load("custom", config).model.weight.eq(1).all()


TRAINERS = {
    "lightning": lambda s: {"state_dict": {**prefixed(s, "model."), "loss.weight": torch.ones(2)}, "epoch": 3},
    "compiled, then parallel": lambda s: {"model": prefixed(s, "module._orig_mod."), "args": Namespace(lr=0.1)},
    "parallel, then compiled": lambda s: {"net": prefixed(s, "_orig_mod.module."), "best": np.float64(1.5)},
    "averaged": lambda s: {"ema": {"module": prefixed(s, "module."), "n_averaged": torch.tensor(3)}["module"]},
    "swa": lambda s: {**prefixed(s, "module."), "n_averaged": torch.tensor(3)},
    "parameters": lambda s: {"params": s, "history": np.arange(3.0), "when": datetime(2026, 1, 1)},
    "a part": lambda s: {"model_state_dict": {**prefixed(s, "student.net."), "teacher.weight": torch.ones(1)}},
    "a compiled part": lambda s: {key.replace(".", "._orig_mod.", 1): value for key, value in s.items()},
}


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{key}": value for key, value in state.items()}


@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize("suffix", [".pth.tar", ".safetensors"])
def test_checkpoints_are_read_as_trainers_write_them(tmp_path: Path, trainer: str, suffix: str) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    file = tmp_path / f"last{suffix}"
    torch.save(TRAINERS[trainer](model.state_dict()), file)
    other = fill("w", nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), read_state("w", file))
    assert torch.equal(other[0].weight, model[0].weight)


def test_two_parts_that_both_fit_are_refused() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3))
    state = {**prefixed(model.state_dict(), "q."), **prefixed(model.state_dict(), "k.")}
    with pytest.raises(ConfigError, match="2 missing"):
        fill("w", model, state)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_torchscript_archive_is_called_that(tmp_path: Path) -> None:
    torch.jit.trace(nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 8, 8)).save(tmp_path / "w.pt")
    with pytest.raises(ConfigError, match="it is a TorchScript archive"):
        read_state("w", tmp_path / "w.pt")


def test_a_quantised_models_digest_is_the_same_each_time() -> None:
    with warnings.catch_warnings(action="ignore"):
        models = [
            torch.ao.quantization.quantize_dynamic(nn.Sequential(linear), {nn.Linear}, dtype=torch.qint8)
            for linear in (nn.Linear(3, 2), nn.Linear(3, 2))
        ]
    built = architecture("patternnet", ModelConfig(source="patternnet"))
    first, other = (digest(model.state_dict(), built, {}) for model in models)
    assert first == digest(models[0].state_dict(), built, {}) != other
