"""How similar features, layers and models are: from responses to tables. Knows no Ray and no DuckDB."""
