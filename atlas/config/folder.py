"""Where conf/ is."""

from pathlib import Path


def conf_dir() -> Path:
    """conf/: beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"
