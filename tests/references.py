"""Slow, obvious versions of what the package does quickly: test oracles, which `atlas selftest` has too."""

from atlas.selftest.naive import OCTAVES, naive_gradient, naive_loss, naive_octaves

__all__ = ["OCTAVES", "naive_gradient", "naive_loss", "naive_octaves"]
