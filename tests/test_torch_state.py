"""torch's own state: whatever a model's code does to it ends with the scope."""

import pytest
import torch
from torch import backends
from torch.overrides import _get_current_function_mode as get_function_mode

from atlas.optvis.precision import precision
from atlas.torch_state import SWITCHES, kept_torch_state


def disturb() -> None:
    """Do to torch what training scripts do when they are imported, and worse."""
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.use_deterministic_algorithms(True)
    torch.autograd.set_detect_anomaly(True)
    torch.set_autocast_enabled("cpu", True)
    torch.set_float32_matmul_precision("medium")
    backends.fp32_precision = "tf32"
    backends.cudnn.benchmark = True
    backends.cudnn.conv.fp32_precision = "ieee"
    backends.mkldnn.enabled = False
    backends.mkldnn.matmul.fp32_precision = "bf16"
    torch.default_generator.manual_seed(1234)


@pytest.mark.parametrize("raises", [False, True])
def test_all_that_is_switched_within_is_afterwards_as_it_was(raises: bool) -> None:
    before, stream = [read() for read, _ in SWITCHES], torch.get_rng_state()
    try:
        with kept_torch_state():
            disturb()
            assert sum(read() != value for (read, _), value in zip(SWITCHES, before, strict=True)) >= 12
            if raises:
                raise KeyError
    except KeyError:
        pass
    assert [read() for read, _ in SWITCHES] == before
    assert torch.equal(torch.get_rng_state(), stream)


def test_precisions_that_were_set_the_newer_way_alone_are_as_they_were() -> None:
    matmul, before = backends.cuda.matmul, [read() for read, _ in SWITCHES]
    with kept_torch_state():
        matmul.fp32_precision = "tf32"
        with pytest.raises(RuntimeError, match="precision"):
            torch.get_float32_matmul_precision()
        with kept_torch_state():
            matmul.fp32_precision = "ieee"
            torch.set_default_dtype(torch.float64)
        assert matmul.fp32_precision == "tf32"
    assert [read() for read, _ in SWITCHES] == before


@pytest.mark.parametrize(("name", "inside"), [("float32", "ieee"), ("tf32", "tf32"), ("bfloat16", "ieee")])
def test_a_precision_holds_within_whichever_way_the_caller_has_set_another(name: str, inside: str) -> None:
    matmul = backends.cuda.matmul
    with kept_torch_state():
        matmul.fp32_precision = "tf32"
        with precision(name):
            assert matmul.fp32_precision == backends.cudnn.conv.fp32_precision == inside
        assert matmul.fp32_precision == "tf32"


def test_no_function_is_left_between_a_call_and_torch() -> None:
    with kept_torch_state():
        torch.set_default_device("meta")
    assert get_function_mode() is None
