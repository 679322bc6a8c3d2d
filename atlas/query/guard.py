"""Answer one reading statement with a pyarrow.Table; refuse in one sentence what would write or reach another file.

DuckDB's settings keep it inside the atlas; that it writes nothing there either is checked here, before it runs.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from atlas.config.mistakes import nearest
from atlas.query.view_files import VIEW_FILES
from atlas.query.views import VIEWS
from atlas.store.damaged_file import DamagedFile
from atlas.store.index import read_table

# MULTI is PIVOT
READING = (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI, duckdb.StatementType.EXPLAIN)
# since DuckDB 2.0 a WITH clause may hold COPY … TO; json_execute_serialized_sql runs a text that no plan shows
WORDS = "COPY|JSON_EXECUTE|INSERT|UPDATE|DELETE|TRUNCATE|MERGE|CREATE"
WRITING = re.compile(rf'"name": "(\w*(?:{WORDS})\w*)"')  # in a plan
# what every such text has to hold: one of the words by itself (`created` is a column), or what runs a text of its own,
# whose words may be escaped
SUSPECT = re.compile(rf"(?<![A-Z_])(?:{WORDS})(?![A-Z])|QUERY", re.IGNORECASE)
LINE = re.compile(r"^LINE (\d+)", re.MULTILINE)
UNKNOWN_TABLE = re.compile(r"Table with name (\S+) does not exist")


class QueryError(Exception):
    """A query that cannot be answered, and why."""


class Damaged(Exception):
    """A file of the atlas cannot be read."""


@contextmanager
def explaining(root: Path) -> Iterator[None]:
    """Turn DuckDB's errors into QueryError for a mistake in the text, Damaged when a file of the atlas at `root` is."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        raise _explained(error, root) from None


def answer(cursor: duckdb.DuckDBPyConnection, text: str, root: Path) -> pa.Table:
    """Answer one statement; raises as `explaining` does."""
    with explaining(root):
        return _begin(cursor, text).to_arrow_table()


def answer_by_batches(cursor: duckdb.DuckDBPyConnection, text: str, root: Path, rows: int) -> Iterator[pa.RecordBatch]:
    """Answer one statement some rows at a time, for answers that are larger than the memory."""
    with explaining(root):
        yield from _begin(cursor, text).to_arrow_reader(rows)


def _begin(cursor: duckdb.DuckDBPyConnection, text: str) -> duckdb.DuckDBPyRelation:
    statement = _only_reading(cursor, text)
    cursor.execute("BEGIN TRANSACTION READ ONLY")
    try:
        return cursor.sql(statement)
    except duckdb.Error:
        cursor.execute("ROLLBACK")
        # the same error, which here names the line
        _plan(cursor, statement)
        raise


def _only_reading(cursor: duckdb.DuckDBPyConnection, text: str) -> str:
    """The one statement of a text; QueryError unless there is exactly one and it only reads."""
    statements = cursor.extract_statements(text)
    if len(statements) != 1:
        raise QueryError(f"write one statement, as SELECT count(*) FROM features; here are {len(statements) or 'none'}")
    kind, query = statements[0].type, statements[0].query
    suspect, explained = SUSPECT.search(query), kind == duckdb.StatementType.EXPLAIN
    # with ANALYZE, which has other spellings, a statement is run; and the plan of an EXPLAIN shows nothing
    if kind not in READING or (explained and suspect):
        raise QueryError(_refusal(f"{kind.name} is no reading statement"))
    if suspect and (writing := WRITING.search(_plan(cursor, query))):
        raise QueryError(_refusal(f"{writing[1]} is no reading operation"))
    return query


def _plan(cursor: duckdb.DuckDBPyConnection, query: str) -> str:
    """DuckDB's plan of a query, as JSON; nothing is run. An error counts lines as the query does, without EXPLAIN's."""
    try:
        return "".join(row[1] for row in cursor.execute(f"EXPLAIN (FORMAT json)\n{query}").fetchall())
    except duckdb.Error as error:
        raise type(error)(LINE.sub(lambda line: f"LINE {int(line[1]) - 1}", str(error))) from None


def _explained(error: duckdb.Error | pa.ArrowException, root: Path) -> Exception:
    """DuckDB's message with what it cannot know: which views there are, and which file is damaged."""
    message = str(error)
    if isinstance(error, duckdb.PermissionException):
        return QueryError(_refusal(message.partition("\n")[0]))
    if unknown := UNKNOWN_TABLE.search(message):
        return QueryError(
            f"there is no view {unknown[1]}: {nearest(unknown[1], VIEWS)}\n`show tables` lists all of them."
        )
    if isinstance(error, duckdb.CatalogException | duckdb.BinderException | duckdb.ParserException):
        return QueryError(message.strip())
    return _first_damaged(root) or QueryError(message.strip())


def _first_damaged(root: Path) -> Damaged | None:
    """The first file behind the views that cannot be read."""
    for path in (path for kind in VIEW_FILES for path in kind.files(root)):
        try:
            read_table(path)
        except DamagedFile as error:
            return Damaged(f"{path} is damaged ({error.reason}); rerun its job with retry=broken, which mends it")
        except OSError as error:
            return Damaged(f"{path} cannot be read: {error}")
    return None


def _refusal(reason: str) -> str:
    return f"refused: sql only reads this atlas, through the views that `show tables` lists ({reason})"
