"""One way of making an image, in a process of its own: for every line that comes, some steps, and what one cost.

`python contenders.py WAY NETWORK` answers with milliseconds of process time an image-step. `bench_optimize.py` asks.
"""

import sys
from collections.abc import Callable
from time import process_time
from typing import Any

# network: layer, pixels, and its name and layer in Keras, where that has it
NETWORKS: dict[str, tuple[str, int, tuple[str, str] | None]] = {
    "googlenet": ("inception4a", 224, None),
    "inception_v3": ("Mixed_5b", 299, ("InceptionV3", "mixed0")),
    "inception_v3/6b": ("Mixed_6b", 299, ("InceptionV3", "mixed4")),
    "resnet50": ("layer2", 224, ("ResNet50", "conv3_block4_out")),
    "efficientnet_lite0": ("blocks.5.3", 224, None),
    "patternnet": ("conv5", 64, None),
}
STEPS = 4  # of a measurement, and one before them that is not counted


def network_of(name: str) -> tuple[Any, str, int]:
    """The network as Atlas loads it, with weights that lie about or random ones; its layer and size."""
    import torch

    from atlas.config.compose import compose_model
    from atlas.zoo.load import load

    torch.set_num_threads(1)
    layer, size, _ = NETWORKS[name]
    entry = name.partition("/")[0]
    config = compose_model(entry)
    if entry not in ("patternnet", "efficientnet_lite0"):
        config.weights = "none"
    return load(entry, config), layer, size


def as_published(name: str) -> tuple[Any, str, int]:
    """The network as a user of another library has it: contiguous, with parameters that take gradients."""
    import torch

    from atlas.zoo.torchvision_ops import torchvision

    loaded, layer, size = network_of(name)
    torchvision()  # whoever imports it without Atlas needs it whole
    return loaded.model.to(memory_format=torch.contiguous_format).requires_grad_(True), layer, size


def atlas(name: str, batch: int = 1, hooks: bool = False) -> Callable[[], float]:
    """Atlas's default recipe, `batch` images at once; hooks: without a cut graph, on the allocator as it comes."""
    from dataclasses import replace

    import torch

    from atlas.config.recipe_files import read_recipe
    from atlas.engine.allocator import keep_freed_memory
    from atlas.optvis.batch import Keep
    from atlas.optvis.make import Canvas, make_images
    from atlas.optvis.objectives import channel
    from atlas.sweep.recipe_fit import fit_recipe

    loaded, layer, size = network_of(name)
    # random weights have dead channels, and while one is rescued a step takes three times as long
    recipe = read_recipe("standard", rescue=0)
    recipe = replace(recipe, octaves=[replace(recipe.octaves[0], steps=STEPS + 1)])
    recipe = fit_recipe(recipe, name, input_size=size, grows=True, device="cpu")
    forward = loaded.forward([layer]) if hooks else loaded.cut([layer], folded=True)
    if not hooks:
        keep_freed_memory()

    def measure() -> float:
        times: list[float] = []
        keep = Keep(watch=lambda moment: times.append(process_time()))
        numbers = list(range(batch))
        make_images(
            forward,
            channel(layer, torch.arange(batch)),
            recipe,
            seeds=numbers,
            canvas=Canvas(loaded.scale, loaded.device),
            keep=keep,
        )
        return (times[-1] - times[0]) / STEPS / batch

    return measure


def plain(name: str) -> Callable[[], float]:
    """The loop that anybody would write: pixels, Adam, a forward pass that ends at the layer, no gradients of weights."""
    import torch

    from atlas.zoo.forward import Forward

    model, layer, size = as_published(name)
    forward = Forward(model.requires_grad_(False), [layer])

    def measure() -> float:
        image = torch.rand(1, 3, size, size, requires_grad=True)
        optimizer, times = torch.optim.Adam([image], lr=0.05), list[float]()
        for _ in range(STEPS + 1):
            optimizer.zero_grad()
            (-forward(image)[layer][:, 0].mean()).backward()
            optimizer.step()
            times.append(process_time())
        return (times[-1] - times[0]) / STEPS

    return measure


def lucent(name: str) -> Callable[[], float]:
    """torch-lucent's render_vis, as it comes."""
    model, layer, size = as_published(name)
    from lucent.optvis import objectives, param, render

    def measure() -> float:
        began = process_time()
        render.render_vis(
            model,
            objectives.channel(layer.replace(".", "_"), 0),
            param_f=lambda: param.image(size),
            thresholds=(STEPS,),
            fixed_image_size=size,
            progress=False,
            show_image=False,
        )
        return (process_time() - began) / STEPS

    return measure


def dreams(name: str) -> Callable[[], float]:
    """torch-dreams' Dreamer, as it comes."""
    model, layer, size = as_published(name)
    from torch_dreams import Dreamer

    dreamer, module = Dreamer(model, quiet=True, device="cpu"), model.get_submodule(layer)

    def measure() -> float:
        began = process_time()
        dreamer.render(
            [module], width=size, height=size, iters=STEPS, custom_func=lambda outputs: -outputs[0][:, 0].mean()
        )
        return (process_time() - began) / STEPS

    return measure


def xplique(name: str) -> Callable[[], float]:
    """Xplique's optimize, as it comes, on TensorFlow with one thread."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from xplique.features_visualizations import Objective, optimize

    _, size, keras = NETWORKS[name]
    if keras is None:
        raise SystemExit(f"Keras has no {name}")
    model = getattr(tf.keras.applications, keras[0])(weights=None, input_shape=(size, size, 3))
    objective = Objective.channel(model, keras[1], 0)

    class Timed(tf.keras.optimizers.Adam):
        """Notes when each step ended: the first one compiles."""

        def apply_gradients(self, pairs: Any) -> Any:
            result = super().apply_gradients(pairs)
            times.append(process_time())
            return result

    times: list[float] = []

    def measure() -> float:
        times.clear()
        optimize(objective, optimizer=Timed(0.05), nb_steps=STEPS + 1)
        return (times[-1] - times[0]) / STEPS

    return measure


WAYS: dict[str, Callable[[str], Callable[[], float]]] = {
    "atlas": atlas,
    "atlas x 4": lambda name: atlas(name, 4),
    "atlas x 8": lambda name: atlas(name, 8),
    "atlas by hooks": lambda name: atlas(name, hooks=True),
    "plain loop": plain,
    "lucent": lucent,
    "torch-dreams": dreams,
    "xplique": xplique,
}


def main() -> None:
    """Measure once for each line of the input."""
    way, network = sys.argv[1:]
    measure = WAYS[way](network)
    measure()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(f"{measure() * 1e3:.3f}", flush=True)


if __name__ == "__main__":
    main()
