"""The answer to `describe VIEW` with what each column holds, which DuckDB does not say."""

import re

import pyarrow as pa

from atlas.store.columns import description

DESCRIBE = re.compile(r"\s*(?:describe|desc)\s+(?:table\s+)?\"?(\w+)\"?\s*;?\s*", re.IGNORECASE)


def with_descriptions(rows: pa.Table, text: str) -> pa.Table:
    """The rows; those of `describe VIEW` with a column `description` more."""
    asked = DESCRIBE.fullmatch(text)
    if asked is None or "column_name" not in rows.column_names:
        return rows
    texts = [description(name, asked[1].lower()) for name in rows["column_name"].to_pylist()]
    kept = [name for name in rows.column_names if rows[name].null_count < len(rows)]
    return rows.select(kept).append_column("description", pa.array(texts, pa.string()))
