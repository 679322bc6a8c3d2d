"""jobs/rayjob.yaml is what KubeRay takes, and what it starts is a command that composes."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from atlas.config.schema import ClusterConfig
from tests.config.composing import composed

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def job() -> dict:
    return yaml.safe_load((ROOT / "jobs/rayjob.yaml").read_text())


def test_its_fields_are_those_that_kuberay_publishes(job: dict) -> None:
    schema = json.loads(Path(__file__).with_name("rayjob_schema.json").read_text())
    jsonschema.validate(job, schema)
    job["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["replica"] = 3
    with pytest.raises(jsonschema.ValidationError, match="replica"):
        jsonschema.validate(job, schema)


def test_it_has_the_ray_that_constraints_name(job: dict) -> None:
    assert f"ray=={job['spec']['rayClusterSpec']['rayVersion']}" in (ROOT / "constraints.txt").read_text().split()


def test_its_command_composes_without_mistakes(job: dict) -> None:
    program, command, *arguments = job["spec"]["entrypoint"].split()
    assert (program, command) == ("atlas", "run")
    assert composed(*arguments).mistakes == []


def test_a_job_that_is_stopped_is_not_killed_before_its_grace_is_over(job: dict) -> None:
    """Neither by Ray, here and in docs/cluster.md, nor with its pod."""
    variables = yaml.safe_load(job["spec"]["runtimeEnvYAML"])["env_vars"]
    assert json.dumps({"env_vars": variables}) in (ROOT / "docs/cluster.md").read_text()
    (group,) = job["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    ends = group["template"]["spec"]["terminationGracePeriodSeconds"]
    assert min(ends, float(variables["RAY_JOB_STOP_WAIT_TIME_S"])) > ClusterConfig().grace


def test_every_pod_sees_the_folder_that_the_atlas_is_written_to(job: dict) -> None:
    cluster = job["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        (container,) = group["template"]["spec"]["containers"]
        (mount,) = container["volumeMounts"]
        assert f"out={mount['mountPath']}/" in job["spec"]["entrypoint"]
