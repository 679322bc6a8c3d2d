"""`atlas serve`: the same answers as the commands, parts of files, and nothing of any other file."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest
from made_atlas import make_atlas
from made_similarity import write_similarity

from atlas.cli.server import make_server
from atlas.cli.tables import plain_rows
from atlas.query.atlas import Atlas
from atlas.query.interruption import WATCHER
from atlas.report.site.write import write_site


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Atlas]:
    root = tmp_path_factory.mktemp("served") / "a"
    write_similarity(make_atlas(root))
    (root.parent / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    (root / "circle").symlink_to(root / "circle")
    with Atlas(root) as opened:
        yield opened


@pytest.fixture(scope="module")
def port(atlas: Atlas) -> Iterator[int]:
    server = make_server(atlas, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, headers={"Host": f"127.0.0.1:{port}", **headers})
    answer = connection.getresponse()
    found = answer.status, dict(answer.headers), answer.read()
    connection.close()
    return found


def test_similar_and_feature_are_what_the_commands_answer(port: int, atlas: Atlas) -> None:
    status, _, body = ask(port, "/api/similar/alpha/conv2:1?top=3&measure=profile&scope=model")
    assert status == 200
    assert json.loads(body) == plain_rows(atlas.feature("alpha/conv2:1").similar(3, measure="profile", scope="model"))
    status, _, body = ask(port, f"/api/feature/{quote('beta net/block/0:2')}")
    assert (status, len(json.loads(body))) == (200, 2)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/feature/alpha/conv9:1", 404, "no layer"),
        ("/api/similar/alpha/conv2:1?measure=foo", 404, "no measure"),
        ("/api/similar/alpha/conv2:1?top=many", 400, "many"),
        ("/api/similar/alpha/conv2:1?colour=red", 400, "colour"),
        ("/api/nothing", 404, "/api/sql"),
        ("/api/sql", 400, "q="),
        ("/nothing.txt", 404, "no file"),
        (f"/{'n' * 300}", 404, "no file"),
        ("/circle/x", 404, "no file"),
    ],
)
def test_what_is_not_there_is_one_sentence(port: int, path: str, status: int, words: str) -> None:
    found, _, body = ask(port, path)
    assert found == status
    assert words in json.loads(body)["error"]


@pytest.mark.parametrize(
    "text",
    [
        "COPY (SELECT 1) TO 'stolen.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('../secret.txt')",
        "SELECT * FROM '/etc/passwd'",
        "CREATE TABLE t AS SELECT 1",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SELECT 1; SELECT 2",
        "DROP VIEW features",
    ],
)
def test_sql_that_writes_or_reads_other_files_is_refused(port: int, text: str) -> None:
    status, _, body = ask(port, f"/api/sql?q={quote(text)}")
    assert status == 400, body
    assert json.loads(body)["error"]
    assert json.loads(ask(port, f"/api/sql?q={quote('SELECT count(*) AS n FROM features')}")[2]) == [{"n": 70}]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/images/..%2f..%2fsecret.txt",
        "//etc/passwd",
        "/link.txt",
        "/%00",
        "/etc/passwd",
    ],
)
def test_no_file_outside_is_served(port: int, path: str) -> None:
    status, _, body = ask(port, path)
    assert status == 404
    assert b"secret" not in body.replace(b"secret.txt", b"") and b"root:" not in body


def test_the_root_is_the_site_once_there_is_one(port: int, atlas: Atlas) -> None:
    status, _, body = ask(port, "/")
    assert status == 404
    assert f"`atlas site out={atlas.path}`" in json.loads(body)["error"]
    write_site(atlas.paths)
    for method in ("GET", "HEAD"):
        status, said, _ = ask(port, "/", method)
        assert (status, said["Location"]) == (302, "/site/index.html")
    status, said, body = ask(port, said["Location"])
    assert (status, body) == (200, atlas.paths.site_page.read_bytes())
    assert said["Content-Type"] == "text/html"
    assert ask(port, "/site/")[2] == body
    for file in ("atlas.js", "atlas.css", "data/atlas.js"):
        assert ask(port, f"/site/{file}")[2] == (atlas.paths.site / file).read_bytes()


def test_the_folder_of_a_page_is_the_page(port: int, atlas: Atlas) -> None:
    write_site(atlas.paths)
    for path in ("/site", "//site", "/sheets/../site"):
        status, said, _ = ask(port, path)
        assert (status, said["Location"]) == (302, "/site/")


def test_what_has_not_changed_is_not_sent_again(port: int, atlas: Atlas) -> None:
    status, said, body = ask(port, "/atlas.json")
    assert (status, said["Cache-Control"]) == (200, "no-cache")
    again, _, nothing = ask(port, "/atlas.json", **{"If-None-Match": said["ETag"]})
    assert (again, nothing) == (304, b"")
    file = atlas.path / "atlas.json"
    os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns + 1))
    assert ask(port, "/atlas.json", **{"If-None-Match": said["ETag"]})[::2] == (200, body)


def test_a_page_elsewhere_that_resolves_to_here_is_not_answered(port: int) -> None:
    assert ask(port, "/atlas.json", Host="evil.example:80")[0] == 403
    assert ask(port, "/atlas.json", Host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_the_port_may_be_left_out_where_it_is_80(port: int, host: str) -> None:
    """As browsers do."""
    assert ask(port, "/atlas.json", Host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "", ":80", "localhost:", "localhost:1@evil", "127.0.0.1.evil.example"]
)
def test_no_other_name_is_taken_for_this_machine(port: int, host: str) -> None:
    assert ask(port, "/atlas.json", Host=host)[0] == 403


def test_a_page_elsewhere_starts_no_query_here_but_may_link_to_pages(port: int) -> None:
    """Neither by a script, whose requests have an Origin, nor by an image, whose have none."""
    assert ask(port, "/api/sql?q=SELECT+1", Origin="https://evil.example")[0] == 403
    assert ask(port, "/api/sql?q=SELECT+1", Origin="null")[0] == 403
    assert ask(port, "/api/sql?q=SELECT+1", **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert ask(port, "/api/sql?q=SELECT+1", **{"Sec-Fetch-Site": "same-origin"})[0] == 200
    assert ask(port, "/atlas.json", **{"Sec-Fetch-Site": "cross-site"})[0] == 200


def test_a_query_ends_with_the_client_that_asked_it(port: int) -> None:
    def queries() -> int:
        return sum(thread.name == WATCHER for thread in threading.enumerate())

    text = quote("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3")
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(f"GET /api/sql?q={text} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    _wait_until(lambda: queries() == 1)
    client.close()
    _wait_until(lambda: queries() == 0)


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("asked", "status", "start", "stop"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=5-", 206, 5, None),
        ("bytes=-7", 206, -7, None),
        ("bytes=0-999999999", 200, 0, None),
        ("lines=1-2", 200, 0, None),
        (f"bytes=0-{'9' * 5000}", 200, 0, None),
    ],
)
def test_parts_of_files(port: int, atlas: Atlas, asked: str, status: int, start: int, stop: int | None) -> None:
    image = next(iter(atlas.path.rglob("*.png")))
    whole = Path(image).read_bytes()
    path = quote("/" + image.relative_to(atlas.path).as_posix())
    found, said, body = ask(port, path, Range=asked)
    assert (found, body) == (status, whole[start:stop])
    assert said["Content-Length"] == str(len(body)) and said["Content-Type"] == "image/png"
    assert ask(port, path, "HEAD")[1]["Content-Length"] == str(len(whole))
    for nowhere in (f"bytes={len(whole)}-", "bytes=-0"):
        refused, said, _ = ask(port, path, Range=nowhere)
        assert (refused, said["Content-Range"]) == (416, f"bytes */{len(whole)}")
    assert ask(port, path, "POST")[0] == 501


def test_a_part_of_a_file_that_has_changed_is_the_whole_file(port: int, atlas: Atlas) -> None:
    whole = (atlas.path / "atlas.json").read_bytes()
    stamp = ask(port, "/atlas.json")[1]["ETag"]
    assert ask(port, "/atlas.json", Range="bytes=2-4", **{"If-Range": stamp})[::2] == (206, whole[2:5])
    for other in ('"1-2"', f"W/{stamp}", "Wed, 21 Oct 2026 07:28:00 GMT"):
        assert ask(port, "/atlas.json", Range="bytes=2-4", **{"If-Range": other})[::2] == (200, whole)
