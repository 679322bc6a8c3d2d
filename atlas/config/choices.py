"""The names that keys may have. What does the work stands in optvis under the same name; no check of a name loads torch."""

# optvis/metrics.py has a function of each name
METRICS = ("l1", "l2", "linf", "mean")
# optvis/start.py has a function of each name
PARAMS = ("pixels", "fourier", "phases")
# beside `descent`, which is against the gradient alone: what torch.optim calls them
OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "nadam": "NAdam"}
# which keys each has, beside `kind`; optvis/targets.py has the objectives
TARGETS = {"channel": (), "row": ("row",), "neuron": ("row", "col"), "cumulative": ("count",), "joint": ("with",)}

SPACES = ("rgb", "model", "raw")
GRADIENTS = ("raw", "rms")
EDGES = ("gray", "wrap")
PRECISIONS = ("auto", "float32", "tf32", "bfloat16")
# what precision=auto is on a device, where nothing is there to go on with; and on one that only `visualize` knows, as mps
AUTO, UNKNOWN = {"cpu": "float32", "cuda": "bfloat16"}, "float32"
DEVICES = ("auto", "cpu", "cuda")
CLUSTERS = ("local", "inline", "ray")
COMPILES = ("never", "auto", "always")
PROBES = ("atlas", "natural", "photographs", "patterns")
TRACES = ("score", "full")
# engine/watchers.py has a class of each; what each needs installed is called the same
TRACKERS = ("tensorboard", "wandb")
RETRIES = ("none", "failed", "broken")
# saliency/maps.py has the first, saliency/methods.py a function of each other name
MAPS = ("gradient", "smoothgrad", "integrated_gradients", "grad_cam")
# of a figure; matplotlib writes more, whose fonts and dates are not looked after here
FORMATS = ("png", "pdf", "svg")
