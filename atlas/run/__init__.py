"""Making it at scale: work, the pure scheduler, and the executors that carry it."""
