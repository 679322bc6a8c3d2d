"""Every known answer comes out, and none does when what it checks is broken; mutants run on smaller data."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from atlas.cli.commands.selftest import selftest
from atlas.optvis import optimize, update
from atlas.selftest import comparison, images, models, tables, variants
from atlas.selftest import run as running
from atlas.selftest.check import Answer, Check
from atlas.selftest.run import CHECKS, run
from atlas.similarity.compare import facts, lists, measures, statistics
from atlas.similarity.tables import layer_pairs, neighbors
from tests.whole_jobs import atlas

pytestmark = pytest.mark.job

SMALLER = {"a/conv1": 7, "b net/l": 5}
FEWER = ("conv2", "conv3", "conv4")  # layers of PatternNet, among them the one that is permuted


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_all_known_answers_come_out(tmp_path):
    """As a user asks for them, on all of the data; on less of it each comes out below."""
    result = atlas("selftest", "--format", "json", cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    rows = json.loads(result.stdout)
    assert [row["check"].partition(".")[0] for row in rows] == [str(number) for number in range(1, 12)]
    assert all(row["passed"] for row in rows)


def raw_for_z(monkeypatch):
    monkeypatch.setitem(measures.MEASURES, "z", measures.raw)


def own_image_kept(monkeypatch):
    monkeypatch.setattr(facts, "without", lambda values, weight, own, *, everything: everything)


def reverse_ranks_off_by_one(monkeypatch):
    kept = neighbors._reverse_ranks
    monkeypatch.setattr(neighbors, "_reverse_ranks", lambda *lists: kept(*lists) + 1)


def ties_and_order_reversed(monkeypatch):
    kept = lists.best
    monkeypatch.setattr(lists, "best", lambda scores, k, sign=1: kept(scores, k, -sign))


def numbers_for_addresses(monkeypatch):
    """Features stand in another order than their addresses say."""
    kept = comparison.compare

    def wrong(data, **options):
        return kept(replace(data, values=np.roll(data.values, 1, axis=1)), **options)

    monkeypatch.setattr(tables, "compare", wrong)
    monkeypatch.setattr(models, "compare", wrong)


def scores_that_know_the_block(monkeypatch):
    kept = measures.scores

    def wrong(measure, pair):
        tile = kept(measure, pair)
        return tile._replace(
            forward=tile.forward + tile.forward.flatten()[0].nan_to_num() * torch.rand(tile.forward.shape)
        )

    monkeypatch.setattr("atlas.similarity.compare.comparer.scores", wrong)


def rounding_counts_as_life(monkeypatch):
    monkeypatch.setattr(statistics, "ROUNDING", 0.0)


def nothing_rotated(monkeypatch):
    monkeypatch.setattr(models, "rotation", lambda random, channels: np.eye(channels, dtype=np.float32))


def no_baseline(monkeypatch):
    """The control is the layer itself."""
    monkeypatch.setattr(facts, "rotation", lambda alive, layer, seed: np.eye(len(alive), dtype=np.float32))


def the_net_itself_for_another(monkeypatch):
    monkeypatch.setattr(models, "untrained", lambda seed: models.shipped())


def weights_not_permuted(monkeypatch):
    monkeypatch.setattr(models, "permuted", lambda model, layer, order: model)


def cka_doubled(monkeypatch):
    kept = layer_pairs._Pairs.row
    monkeypatch.setattr(
        layer_pairs._Pairs, "row", lambda self, a, b: (row := kept(self, a, b)) | {"cka": 2 * row["cka"]}
    )


def every_image_wins(monkeypatch):
    kept = comparison.marks

    def wrong(*layer):
        marks = kept(*layer)
        return replace(marks, rank=np.ones_like(marks.rank))

    monkeypatch.setattr(comparison, "marks", wrong)


def schedule_off_by_one(monkeypatch):
    kept = optimize.between
    monkeypatch.setattr(optimize, "between", lambda ends, step, steps: kept(ends, step + 1, steps))


def no_blur(monkeypatch):
    monkeypatch.setattr(update, "blur", lambda images, sigma: images)


def averaged_over_the_batch(monkeypatch):
    kept = optimize._gradient

    def wrong(objective, param, values, which, views):
        gradient, reading = kept(objective, param, values, which, views)
        return gradient / len(values), reading

    monkeypatch.setattr(optimize, "_gradient", wrong)


BROKEN = [
    (tables.twins, raw_for_z),
    (tables.twins, ties_and_order_reversed),
    (tables.scaled_channel, raw_for_z),
    (tables.permuted_channels, numbers_for_addresses),
    (tables.permuted_channels, scores_that_know_the_block),
    *(
        pytest.param(models.copied_model, broken, marks=pytest.mark.slow)
        for broken in (weights_not_permuted, no_baseline, cka_doubled)
    ),
    (models.rotated_layers, nothing_rotated),
    (models.rotated_layers, cka_doubled),
    (models.independent_net, the_net_itself_for_another),
    (tables.dead_channels, rounding_counts_as_life),
    (tables.reference, own_image_kept),
    (tables.reference, reverse_ranks_off_by_one),
    (tables.reference, scores_that_know_the_block),
    (models.shuffled_images, every_image_wins),
    (images.linear_layer, schedule_off_by_one),
    (images.linear_layer, averaged_over_the_batch),
    (images.naive_loop, no_blur),
    (images.naive_loop, averaged_over_the_batch),
]


@pytest.fixture
def smaller(monkeypatch):
    """Less data for the checks that take long: fewer channels, fewer layers, fewer images."""
    monkeypatch.setattr(tables, "SMALL_LAYERS", SMALLER)
    monkeypatch.setattr(variants, "LAYERS", FEWER)
    monkeypatch.setattr(images, "RATE_FACTORS", {("conv3", "l1"): 4.0})
    monkeypatch.setattr(models, "SHUFFLES", 3)


@pytest.mark.parametrize("ask", [check.ask for check in CHECKS])
def test_on_smaller_data_the_answers_come_out_as_well(smaller, ask):
    """With shapes checked; so it is the mutant that fails below, not the data."""
    (outcome,) = run([Check(0, "whole", ask)])
    assert outcome.passed, outcome.found


@pytest.mark.parametrize(("ask", "broken"), BROKEN)
def test_an_answer_fails_when_what_it_checks_is_broken(monkeypatch, smaller, ask, broken):
    broken(monkeypatch)
    (outcome,) = run([Check(0, "broken", ask)])
    assert not outcome.passed, outcome.found
    assert "wanted" in outcome.found, "it broke down, which tells nothing of what it compares"


def test_a_check_that_breaks_down_has_failed_and_the_others_go_on():
    def breaks() -> Answer:
        raise ValueError("no such thing")

    first, second = run([Check(1, "a", breaks), Check(2, "b", lambda: Answer(True, "fine"))])
    assert (first.passed, first.found) == (False, "ValueError: no such thing")
    assert (second.passed, second.found) == (True, "fine")


@pytest.mark.parametrize(("passed", "code"), [(True, 0), (False, 1)])
def test_the_command_prints_rows_and_says_how_it_went(monkeypatch, passed, code):
    monkeypatch.setattr(running.run, "__defaults__", ((CHECKS[9], Check(12, "else", lambda: Answer(passed, "this"))),))
    result = CliRunner().invoke(selftest, ["--format", "json"])
    assert result.exit_code == code
    first, second = json.loads(result.stdout)
    assert list(first) == ["check", "passed", "found", "seconds"]
    assert first["passed"] and first["check"].startswith("10. ")
    assert (second["check"], second["passed"], second["found"]) == ("12. else", passed, "this")
    assert result.stderr == ""
