"""What people write for `dry_run=true` is understood, and options that no job has are answered with what to write."""

import pytest

from atlas.config.mistakes import ConfigError
from atlas.config.near_misses import as_overrides
from atlas.config.schema import DreamConfig, SweepConfig


@pytest.mark.parametrize("word", ["dry_run", "--dry-run", "--dry_run", "dry-run", "--dry-run=true", "dry_run=true"])
def test_a_dry_run_however_it_is_written(word: str) -> None:
    assert as_overrides(["model=x", word], SweepConfig) == ["model=x", "dry_run=true"]


def test_a_calibrated_dry_run_is_one_that_measures() -> None:
    for word in ("dry_run=calibrate", "--dry-run=calibrate"):
        assert as_overrides([word], SweepConfig) == ["dry_run=true", "calibrate=true"]


def test_what_hydra_has_is_left_to_it() -> None:
    words = ["--cfg", "job", "--config-dir=conf", "--help", "-cd", "conf", "+a=b", "~c", "layers=[--x]", "--info"]
    assert as_overrides(words, SweepConfig) == words


def test_other_options_are_corrected_all_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        as_overrides(["--model=resnet50", "--out-dir", "x", "--dry-run"], DreamConfig)
    assert list(refused.value.mistakes) == [
        "--model=resnet50: a job takes key=value; write model=resnet50",
        "--out-dir: a job takes key=value; write out_dir=VALUE",
        "--dry-run: this job has no dry run",
    ]
