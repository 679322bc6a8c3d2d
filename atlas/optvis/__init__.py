"""How images are made: targets, metrics, objectives, priors, octaves and the loop. Knows no model names and no files."""
