"""Shape annotations are checked at run time in every test; one torch thread, so that workers of xdist do not fight."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from jaxtyping import install_import_hook

install_import_hook(
    ["atlas.optvis", "atlas.zoo", "atlas.similarity", "atlas.optvis.make", "atlas.generate.visualize"],
    "checked.checked",
)
