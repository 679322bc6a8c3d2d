"""SQL reads this atlas and nothing else, and a mistake in it is told in a way that helps."""

import pytest
from made_atlas import WHOLE, make_atlas
from made_similarity import write_similarity

from atlas.query import guard
from atlas.query.atlas import Atlas
from atlas.query.guard import Damaged, QueryError


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    """One atlas for all: each test leaves it as it was, or has found a hole."""
    folder = tmp_path_factory.mktemp("guard")
    (folder / "secret.txt").write_text("secret")
    paths = make_atlas(folder / "a", WHOLE)
    write_similarity(paths)
    with Atlas(paths.root) as opened:
        (opened.path / "link").symlink_to(folder / "secret.txt")
        yield opened


WRITING = [
    "copy (select 1) to '{inside}'",
    "copy (select 1) to '{outside}'",
    "copy neighbors to '{inside}'",
    "copy (select * from neighbors_named) to '{outside}' (format parquet)",
    "with x as (copy (from layers) to '{inside}') select 1",
    "insert into matches select * from matches",
    "create or replace view neighbors as select 1",
    "attach '{outside}' as other; select * from neighbors",
    "with x as (copy (select 1) to '{inside}') select 1",
    "explain analyze copy (select 1) to '{inside}'",
    "explain analyse copy (select 1) to '{inside}'",
    "explain (analyse) with x as (copy (select 1) to '{inside}') select 1",
    "with x as (select 1), y as(copy(select 1) to '{inside}')select 1",
    "export database '{inside}'",
    "attach '{inside}'",
    "attach '{outside}'",
    "create table t as select 1",
    "create temp view v as select 1",
    "drop view features",
    "delete from features",
    "install httpfs",
    "load httpfs",
    "set threads = 1",
    "pragma threads = 1",
    "call pragma_version()",
    "select 1; drop view features",
    "prepare p as select 1",
]
ELSEWHERE = [
    "select * from read_csv('/etc/hostname')",
    "select * from neighbors, read_csv('/etc/passwd')",
    "select * from layers where model_a in (select * from read_csv('/etc/passwd'))",
    "select (select content from read_text('/etc/passwd')) from neighbors_named limit 1",
    "select * from read_parquet('{folder}/../*/*.parquet')",
    "select * from read_text('{folder}/../secret.txt')",
    "select * from read_text('{folder}/link')",
    "select * from glob('/*')",
    "select * from '/etc/hostname'",
    "select * from 'https://example.com/x.parquet'",
]


@pytest.mark.parametrize("text", WRITING + ELSEWHERE)
def test_refused_and_nothing_is_written(atlas, text):
    folder = atlas.path.parent
    before = sorted(folder.rglob("*"))
    with pytest.raises(QueryError):
        atlas.sql(text.format(inside=atlas.path / "x.csv", outside=folder / "x.csv", folder=atlas.path))
    assert sorted(folder.rglob("*")) == before
    assert atlas.sql("from features").num_rows == 12


def test_a_serialized_statement_cannot_smuggle_a_copy(atlas):
    hidden = f"with x as (copy (select 1) to ''{atlas.path}/x.csv'') select 1"
    plan = atlas.sql(f"select json_serialize_sql('{hidden}') as j")["j"].to_pylist()[0].replace("'", "''")
    with pytest.raises(QueryError, match="refused"):
        atlas.sql(f"from json_execute_serialized_sql('{plan}')")
    assert not (atlas.path / "x.csv").exists()


def test_an_escaped_word_writes_nothing(atlas):
    hidden = rf"with x as (\x63opy (select 1) to ''{atlas.path}/x.csv'') select 1"
    for text in (f"from query(e'{hidden}')", 'with x as (select 1) U&"\\0063opy"'):
        with pytest.raises(QueryError):
            atlas.sql(text)
    assert not (atlas.path / "x.csv").exists()


@pytest.mark.parametrize(
    "text",
    [
        "from features",
        "select 1;",
        "show tables",
        "describe features",
        "summarize failures",
        "explain select * from tasks",
        "explain analyze select created from features",
        "with x as (select * from images) select count(*) from x",
        "pivot features on metric using count(*) group by layer",
        "values (1), (2)",
        "-- a comment\nselect 'copy to'",
    ],
)
def test_every_way_to_read(atlas, text):
    assert atlas.sql(text) is not None


def test_a_column_whose_name_begins_with_a_word_that_writes_is_not_planned_for_that(atlas, monkeypatch):
    plans = []
    monkeypatch.setattr(guard, "_plan", lambda cursor, query: plans.append(query) or "")
    assert atlas.sql("select created from features").num_rows == 12
    assert plans == []
    atlas.sql("select 'create' as word")
    assert len(plans) == 1


def test_an_unknown_view_is_told_with_those_that_exist(atlas):
    with pytest.raises(QueryError, match=r"no view featurs: did you mean features(.|\n)*show tables"):
        atlas.sql("select * from featurs")


def test_mistakes_come_in_duckdbs_words_and_at_the_users_line(atlas):
    with pytest.raises(QueryError, match=r'"scor" not found(.|\n)*LINE 2: scor from features'):
        atlas.sql("select\nscor from features")
    with pytest.raises(QueryError, match="syntax error"):
        atlas.sql("selec 1")
    with pytest.raises(QueryError, match="Could not convert"):
        atlas.sql("select model::int from features")
    with pytest.raises(QueryError, match="none"):
        atlas.sql("  ")


def test_a_damaged_table_of_similarity_is_named(tmp_path):
    paths = make_atlas(tmp_path / "a", WHOLE)
    write_similarity(paths)
    paths.layers.write_bytes(b"half")
    with pytest.raises(Damaged, match=r"layers\.parquet is damaged"), Atlas(paths.root) as atlas:
        atlas.sql("from layers")


@pytest.mark.parametrize("harm", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"x" * 400])
def test_a_damaged_file_is_named(harm, tmp_path):
    paths = make_atlas(tmp_path / "a", WHOLE)
    victim = sorted(paths.index.rglob("*.parquet"))[1]
    with Atlas(paths.root) as atlas:
        victim.write_bytes(harm(victim.read_bytes()))
        with pytest.raises(Damaged, match=rf"{victim.name} is damaged .*rerun"):
            atlas.sql("select sum(score) from features")
    with pytest.raises(Damaged, match=victim.name), Atlas(paths.root) as again:
        again.sql("from features")
