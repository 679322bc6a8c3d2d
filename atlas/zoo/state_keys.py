"""The names of weights: a checkpoint's state dict and a model's own in; the checkpoint's under the model's names out."""

from collections.abc import Collection, Mapping

from torch import Tensor


def under_own_names(state: Mapping[str, Tensor], needed: Collection[str]) -> Mapping[str, Tensor]:
    """A state dict without the one prefix, or with it, that makes all the needed keys of a model fit.

    Trainers keep a model as a part of theirs, as `model.` and `encoder.`, and beside it what is none of it. Where several
    parts fit, or none does, the state dict is returned as it is.
    """
    if not needed or all(key in state for key in needed):
        return state
    longest = max(needed, key=len)
    prefixes = {key[: -len(longest)] for key in state if key.endswith(f".{longest}")}
    fitting = [prefix for prefix in sorted(prefixes) if all(f"{prefix}{key}" in state for key in needed)]
    if len(fitting) == 1:
        return {key.removeprefix(fitting[0]): value for key, value in state.items() if key.startswith(fitting[0])}
    head = f"{longest.partition('.')[0]}."
    if all(key.startswith(head) and key.removeprefix(head) in state for key in needed):
        return {f"{head}{key}": value for key, value in state.items()}
    # torch.compile of a part leaves its mark within the name.
    unmarked = {key.replace("_orig_mod.", "").replace("module.", ""): value for key, value in state.items()}
    return unmarked if all(key in unmarked for key in needed) else state
