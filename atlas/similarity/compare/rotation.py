"""The control of every score: the same layer, with its channels mixed by a random rotation.

A rotation keeps what a layer as a whole knows (its CKA with anything) and destroys what single channels mean.
"""

from hashlib import blake2b

import numpy as np
from jaxtyping import Bool, Float32


def rotation(alive: Bool[np.ndarray, "c"], layer: str, seed: int) -> Float32[np.ndarray, "c c"]:
    """A random orthogonal matrix (QR of a Gaussian) over the live channels, zero elsewhere; fixed by layer and seed."""
    digits = blake2b(f"{seed} {layer}".encode(), digest_size=8).hexdigest()
    gauss = np.random.default_rng(int(digits, 16)).normal(size=(alive.sum(),) * 2)
    q, r = np.linalg.qr(gauss)
    turned = np.zeros((len(alive),) * 2, np.float32)
    turned[np.ix_(alive, alive)] = q * np.sign(np.diag(r))  # uniform over rotations (Mezzadri 2007)
    return turned
