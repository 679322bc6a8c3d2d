"""Pictures sent to `atlas serve`: taken as a body or a form, bounded, and refused in one sentence."""

import io
import json
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from made_atlas import make_atlas
from made_similarity import write_similarity
from PIL import Image

from atlas.cli import server as served
from atlas.cli.server import make_server
from atlas.cli.upload import MOST_BYTES
from atlas.query.asking import ASK_COLUMNS
from atlas.query.atlas import Atlas

ROW = {
    "feature": "alpha/conv1:0",
    "z": 2.5,
    "response": 0.5,
    "rank": 1,
    "x0": 0,
    "y0": 2,
    "x1": 8,
    "y1": 9,
    "name": "dots",
}


class Answering(Atlas):
    """An atlas whose networks are not there: it says what it was asked."""

    asked: tuple[Image.Image, int, dict[str, Any]]

    def ask(self, picture: Any, top: int = 20, **options: Any) -> pa.Table:
        type(self).asked = picture, top, options
        return pa.Table.from_pylist([ROW], schema=ASK_COLUMNS)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    root = tmp_path_factory.mktemp("upload") / "a"
    write_similarity(make_atlas(root))
    with Answering(root) as atlas:
        server = make_server(atlas, 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
        server.server_close()


def picture(form: str = "PNG", size: tuple[int, int] = (30, 20), mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, form)
    return buffer.getvalue()


def post(port: int, body: bytes, query: str = "", **headers: str) -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", f"/api/ask{query}", body, {"Content-Type": "image/png", **headers})
    answer = connection.getresponse()
    status, told = answer.status, json.loads(answer.read())
    connection.close()
    return status, told


@pytest.mark.parametrize(
    ("form", "kind"), [("PNG", "image/png"), ("JPEG", "image/jpeg; q=1"), ("WEBP", "application/octet-stream")]
)
def test_a_picture_as_the_body(port: int, form: str, kind: str) -> None:
    assert post(port, picture(form), "?top=3&layer=conv1", Content_Type=kind) == (200, [ROW])
    image, top, options = Answering.asked
    assert (image.mode, image.size, top, options) == ("RGB", (30, 20), 3, {"layer": "conv1"})


def test_a_picture_as_the_file_of_a_form(port: int) -> None:
    part = b'--xx\r\nContent-Disposition: form-data; name="top"\r\n\r\n3\r\n'
    part += b'--xx\r\nContent-Disposition: form-data; name="p"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    assert post(port, part + picture() + b"\r\n--xx--\r\n", Content_Type="multipart/form-data; boundary=xx")[0] == 200
    assert Answering.asked[0].size == (30, 20)
    status, told = post(port, b"--xx--\r\n", Content_Type="multipart/form-data; boundary=xx")
    assert (status, told["error"].partition(":")[0]) == (400, "the form holds no file")


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"no picture", {}, 400, "is no picture that can be read"),
        (picture()[:-30], {}, 400, "is no picture that can be read"),
        (picture(), {"Content_Type": "text/plain"}, 415, "Content-Type text/plain is no picture"),
        (picture(), {"Content_Type": "application/json"}, 415, "curl --data-binary"),
        (b"", {}, 400, "1 or more"),
        (picture(size=(8100, 8000), mode="1"), {}, 413, "8,100 x 8,000 pixels: at most 64,000,000"),
        (bytes(MOST_BYTES + 1), {}, 413, "20,971,521 bytes: at most 20,971,520 are taken"),
        (picture(), {"Origin": "http://evil.example"}, 403, "only 127.0.0.1"),
        (picture(), {"Host": "evil.example:80"}, 403, "only 127.0.0.1"),
    ],
)
def test_what_is_not_taken_is_one_sentence(port: int, body: bytes, headers: dict, status: int, words: str) -> None:
    answer, told = post(port, body, **headers)
    assert answer == status and words in told["error"] and "\n" not in told["error"] and "0x" not in told["error"]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Content-Type: image/png", 411),
        ("Transfer-Encoding: chunked", 411),
        ("Content-Length: -5", 400),
        ("Content-Length: many", 400),
        (f"Content-Length: {10**15}", 413),
        ("Content-Length: 100", 408),
    ],
)
def test_a_body_is_bounded_before_it_is_read(
    port: int, head: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served._Handler, "timeout", 0.5)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"POST /api/ask HTTP/1.1\r\nHost: localhost:{port}\r\n{head}\r\n\r\n".encode())
        assert connection.recv(100).split()[1] == str(status).encode()


@pytest.mark.parametrize("query", ["?top=many", "?top=0"])
def test_a_wrong_number_is_refused(port: int, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answering, "ask", Atlas.ask)
    assert post(port, picture(), query)[0] == 400


def test_a_wrong_word_is_refused_and_an_atlas_that_cannot_answer_says_why(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answering, "ask", Atlas.ask)
    assert post(port, picture(), "?colour=red")[0] == 400
    assert post(port, picture(), "?layer=conv9")[0] == 404
    status, told = post(port, picture())
    assert (status, "no config there tells of model" in told["error"]) == (409, True)


def test_a_page_and_what_it_must_know(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    for path, kind in (("/ask", "text/html"), ("/ask.js", "text/javascript"), ("/ask.css", "text/css")):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        assert len(answer.read()) == int(answer.headers["Content-Length"])
    connection.request("GET", "/api/ask")
    about = json.loads(connection.getresponse().read())
    assert about["layers"] == {"alpha": ["conv1", "conv2"], "beta net": ["block/0"]}
    assert (about["bytes"], about["probe"], about["site"]) == (MOST_BYTES, "atlas", None)
    connection.close()


def test_the_page_lies_in_the_package() -> None:
    assert (Path(served.__file__).parent / "static" / "ask.html").is_file()
