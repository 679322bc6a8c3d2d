"""An atlas over HTTP, for this machine only: its files, with Range requests, and the reading commands as JSON."""

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase, BufferedReader
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pyarrow as pa

from atlas.cli.tables import plain_rows
from atlas.query.atlas import Atlas
from atlas.query.guard import Damaged, QueryError
from atlas.query.names import UnknownName
from atlas.query.shell import job

HOST = "127.0.0.1"
NAMES = (
    "127.0.0.1",
    "localhost",
    "[::1]",
)  # what a browser may call us: a page elsewhere that resolves to here may not
RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
FLAGS = ("mutual", "opposite")
Query = dict[str, str]


def make_server(atlas: Atlas, port: int) -> ThreadingHTTPServer:
    """A server on 127.0.0.1, threads and all, not yet running; port 0: any free one. OSError: the port is taken."""

    class Handler(_Handler):
        held = atlas

    return ThreadingHTTPServer((HOST, port), Handler)


class _Handler(BaseHTTPRequestHandler):
    held: Atlas

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a terminal is no place for every request."""

    def _answer(self) -> None:
        if self.headers.get("Host", "").rpartition(":")[0] not in NAMES:
            return self._say(HTTPStatus.FORBIDDEN, {"error": f"only {' and '.join(NAMES)} are served"})
        asked = urlsplit(self.path)
        path, query = unquote(asked.path), {key: values[-1] for key, values in parse_qs(asked.query).items()}
        if path == "/":
            return self._send_to_site()
        if not path.startswith("/api/"):
            return self._send_file(path)
        try:
            return self._say(HTTPStatus.OK, _rows(self.held, path.removeprefix("/api/"), query))
        except UnknownName as error:
            return self._say(HTTPStatus.NOT_FOUND, {"error": str(error)})
        except (QueryError, ValueError, TypeError) as error:
            return self._say(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        except Damaged as error:
            return self._say(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(error)})

    def _say(self, status: HTTPStatus, value: Any) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self._head(status, {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body))})
        if self.command == "GET":
            self.wfile.write(body)

    def _send_to_site(self) -> None:
        """To the page itself, since what it names lies beside it."""
        paths = self.held.paths
        if not paths.site_page.is_file():
            told = f"{paths.root} has no pages yet: `{job('site', paths.root)}` writes them"
            return self._say(HTTPStatus.NOT_FOUND, {"error": told})
        return self._head(HTTPStatus.FOUND, {"Location": f"/{paths.relative(paths.site_page)}", "Content-Length": "0"})

    def _send_file(self, path: str) -> None:
        """A file under the atlas, whole or a part of it; nothing outside is ever opened."""
        root = self.held.path.resolve()
        if (folder := _folder_of_a_page(root, path)) is not None:
            return self._head(HTTPStatus.FOUND, {"Location": f"/{folder}/", "Content-Length": "0"})
        opened = _opened(root, path)
        if opened is None:
            return self._say(HTTPStatus.NOT_FOUND, {"error": f"there is no file {path!r} in this atlas"})
        with opened:
            return self._send_part(opened)

    def _send_part(self, opened: BufferedReader) -> None:
        """What was asked for of a file; nothing, when the browser has it as it is."""
        found = os.fstat(opened.fileno())
        size, stamp = found.st_size, f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
        if self.headers.get("If-None-Match") == stamp:
            return self._head(HTTPStatus.NOT_MODIFIED, {"ETag": stamp})
        changed = self.headers.get("If-Range", stamp) != stamp  # the part that the browser has is of another file
        span = (0, size) if changed else _span(self.headers.get("Range"), size)
        if span is None:
            return self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {"Content-Range": f"bytes */{size}"})
        start, stop = span
        part = span != (0, size)
        said = {"Content-Type": guess_type(opened.name)[0] or "application/octet-stream", "Accept-Ranges": "bytes"}
        said |= {"Content-Length": str(stop - start), "ETag": stamp, "Cache-Control": "no-cache"}
        said |= {"Content-Range": f"bytes {start}-{stop - 1}/{size}"} if part else {}
        self._head(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK, said)
        if self.command == "GET":
            _copy(opened, self.wfile, start, stop)
        return None

    def _head(self, status: HTTPStatus, said: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**said, "X-Content-Type-Options": "nosniff"}.items():
            self.send_header(name, value)
        self.end_headers()


def _folder_of_a_page(root: Path, path: str) -> str | None:
    """A folder that is asked for without a `/` at its end: what its page names lies beside that."""
    file = _inside(root, path)
    with suppress(OSError):
        if file is not None and not path.endswith("/") and (file / "index.html").is_file():
            return quote(file.relative_to(root).as_posix())
    return None


def _opened(root: Path, path: str) -> BufferedReader | None:
    """The file that is meant, of a folder its page; None: there is none, or the system refuses it."""
    file = _inside(root, path)
    with suppress(OSError):
        if file is not None and file.is_dir():
            file = _inside(root, f"{path}/index.html")
        if file is not None and file.is_file():
            return open(file, "rb")
    return None


def _inside(root: Path, path: str) -> Path | None:
    """Where a path leads, links followed; None: outside, or nowhere, since no file has such a name."""
    try:
        file = (root / path.lstrip("/")).resolve()
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, links in a circle
        return None
    return file if file.is_relative_to(root) else None


def _rows(atlas: Atlas, path: str, query: Query) -> list[dict[str, Any]]:
    """The same rows as the command of that name."""
    kind, _, rest = path.partition("/")
    if kind not in ANSWERS:
        raise UnknownName(f"there is no /api/{kind}; there are {', '.join(f'/api/{name}' for name in ANSWERS)}")
    return plain_rows(ANSWERS[kind](atlas, rest, query))


def _feature(atlas: Atlas, address: str, query: Query) -> pa.Table:
    return atlas.feature(address).rows()


def _similar(atlas: Atlas, address: str, query: Query) -> pa.Table:
    options: dict[str, Any] = {key: value for key, value in query.items() if key != "top"}
    options |= {flag: query[flag].lower() in ("1", "true") for flag in FLAGS if flag in query}
    return atlas.feature(address).similar(int(query.get("top", 10)), **options)


def _sql(atlas: Atlas, rest: str, query: Query) -> pa.Table:
    if "q" not in query:
        raise ValueError("write the query as /api/sql?q=SELECT…")
    return atlas.sql(query["q"])


ANSWERS: dict[str, Callable[[Atlas, str, Query], pa.Table]] = {"feature": _feature, "similar": _similar, "sql": _sql}


def _span(asked: str | None, size: int) -> tuple[int, int] | None:
    """The first byte and the one after the last of a Range header; all when there is none; None when it cannot be."""
    found = RANGE.fullmatch(asked or "")
    if found is None or found.groups() == ("", ""):
        return 0, size
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) else None
    stop = min(size, int(last) + 1) if last else size
    return (int(first), stop) if int(first) < stop else None


def _copy(source: BufferedIOBase, target: BufferedIOBase, start: int, stop: int) -> None:
    source.seek(start)
    left = stop - start
    while left > 0 and (piece := source.read(min(left, 1 << 20))):
        target.write(piece)
        left -= len(piece)
