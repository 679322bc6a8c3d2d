"""Which extra of the package brings what is not needed to read an atlas: a failed import in, what to install out."""

import sys
from importlib.util import find_spec

DISTRIBUTION = "feature-atlas"
# by the name that is imported; pyproject.toml has the same in its optional-dependencies
EXTRAS = {
    "torch": "run",
    "torchvision": "run",
    "safetensors": "run",
    "jaxtyping": "run",
    "scipy": "run",
    "sklearn": "run",
    "threadpoolctl": "run",
    "ray": "ray",
    "matplotlib": "run",
    "captum": "figures",
    "timm": "timm",
    "obstore": "s3",
    "fsspec": "s3",
}
# what every installation has, so that a Python without one is another Python
CORE = ("pyarrow", "PIL", "numpy", "duckdb", "rich", "click", "psutil", "hydra", "omegaconf")


def install(extra: str) -> str:
    """The command that installs an extra."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"


def missing(error: ModuleNotFoundError) -> str | None:
    """One sentence on what to install for an import that failed; None: Atlas has no need of that module."""
    module = (error.name or "").partition(".")[0]
    if module in CORE:
        return (
            f"this needs {module}, which {sys.executable} does not have: is it the Python that Atlas is installed for?"
        )
    extra = EXTRAS.get(module)
    return None if extra is None else f"this needs {module}, which is not installed: {install(extra)}"


def lacks(module: str) -> bool:
    """Whether a module is not installed; it is not imported."""
    return find_spec(module) is None
