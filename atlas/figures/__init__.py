"""The sources' figures: which images each shows, where they come from, and how they are laid out."""

NAMES = (  # the keys of catalogue.FIGURES, here so that nothing heavy is imported to tell them
    *("layer-grid", "raw-vs-octaves", "metric-invariance", "cumulative", "neurons", "interaction", "trajectory"),
    *("saliency", "dream", "filter-vs-dream", "similarity", "models"),
)
