"""The sources' figures: which images each shows, where the images come from, and how they are laid out."""

# the keys of catalogue.FIGURES, here so that nothing heavy is imported to list them
NAMES = (
    *("layer-grid", "raw-vs-octaves", "metric-invariance", "cumulative", "neurons", "interaction", "trajectory"),
    *("saliency", "dream", "filter-vs-dream", "similarity", "models"),
)
