"""An atlas over HTTP, for this machine only: its files, with Range requests, the reading commands as JSON, and a page
on which pictures are dropped.
"""

import json
import os
import re
import select
import socket
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from mimetypes import guess_type
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa
from PIL import Image

from atlas.cli.ask_page import ASK_FILES, about_asking
from atlas.cli.served_files import byte_range, copy_bytes, folder_of_page, open_file
from atlas.cli.tables import plain_rows
from atlas.cli.upload import Refusal, read_upload
from atlas.query.asking import CannotAsk
from atlas.query.atlas import Atlas
from atlas.query.guard import Damaged, QueryError
from atlas.query.names import UnknownName
from atlas.query.shell import job

HOST = "127.0.0.1"
# the names that a request may give this machine: a page on the web whose name resolves to here gives another
HOSTS = ("127.0.0.1", "localhost", "[::1]")
HOST_HEADER = re.compile(r"([^:]+|\[[^\]]*\])(:[0-9]+)?")  # without a port where that is 80
NAMES = tuple(host.strip("[]") for host in HOSTS)  # the same, as an Origin has them
FLAGS = ("mutual", "opposite")
SILENCE = 30  # seconds that a client may say nothing in the middle of a request
Query = dict[str, str]


def make_server(atlas: Atlas, port: int) -> ThreadingHTTPServer:
    """A server on 127.0.0.1 that answers each request in a thread; `serve_forever()` starts it.

    Port 0 takes any free one. OSError when the port is taken.
    """

    class Handler(_Handler):
        source = atlas

    return _Server((HOST, port), Handler)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print a traceback, but not for a browser that left before it had all: whoever walks fast does so."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    source: Atlas
    timeout = SILENCE

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: every page makes hundreds of requests."""

    def _answer(self) -> None:
        if not self._is_from_here():
            return None
        path, query = self._asked()
        if path == "/":
            return self._send_to_site()
        if path in ASK_FILES:
            return self._send_page(*ASK_FILES[path])
        if not path.startswith("/api/"):
            return self._send_file(path)
        if path == "/api/ask":
            return self._send_answer(lambda: about_asking(self.source))
        if path == "/api/sql":
            return self._send_answer(lambda: _sql(self.source, query, self._is_connected))
        return self._send_answer(lambda: _rows(self.source, path.removeprefix("/api/"), query))

    def do_POST(self) -> None:
        """Answer what a picture drives: /api/ask, with the picture as the body."""
        if not self._is_from_here():
            return None
        path, query = self._asked()
        if path != "/api/ask":
            return self._send_json(HTTPStatus.NOT_IMPLEMENTED, {"error": "only /api/ask takes a POST: a picture"})
        return self._send_answer(lambda: _ask(self.source, self._picture(), query))

    def _picture(self) -> Image.Image:
        return read_upload(self.headers, self.rfile)

    def _is_from_here(self) -> bool:
        """Whether a request gives this machine one of its own names, and comes from no other page; else it is refused.

        Another page may show a link to a page here, but not let its reader's browser ask: for that there is no Origin.
        """
        origin, host = self.headers.get("Origin"), HOST_HEADER.fullmatch(self.headers.get("Host", ""))
        from_elsewhere = origin is not None and urlsplit(origin).hostname not in NAMES
        asked_elsewhere = self.path.startswith("/api/") and self.headers.get("Sec-Fetch-Site") == "cross-site"
        if host and host[1] in HOSTS and not from_elsewhere and not asked_elsewhere:
            return True
        self._send_json(HTTPStatus.FORBIDDEN, {"error": f"only {' and '.join(HOSTS)} are served"})
        return False

    def _is_connected(self) -> bool:
        """Whether the client still waits: one that has left can be read to its end."""
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return not readable or self.connection.recv(1, socket.MSG_PEEK) != b""
        except (OSError, ValueError):
            return False

    def _asked(self) -> tuple[str, Query]:
        """The path of a request, and its query."""
        url = urlsplit(self.path)
        return unquote(url.path), {key: values[-1] for key, values in parse_qs(url.query).items()}

    def _send_answer(self, answer: Callable[[], Any]) -> None:
        """Send what a function returns as JSON, or what it refuses."""
        try:
            return self._send_json(HTTPStatus.OK, answer())
        except Refusal as error:
            return self._send_json(error.status, {"error": str(error)})
        except UnknownName as error:
            return self._send_json(HTTPStatus.NOT_FOUND, {"error": str(error)})
        except CannotAsk as error:
            return self._send_json(HTTPStatus.CONFLICT, {"error": str(error)})
        except (QueryError, ValueError, TypeError) as error:
            return self._send_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        except Damaged as error:
            return self._send_json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(error)})

    def _send_page(self, content: bytes, kind: str) -> None:
        self._send_head(HTTPStatus.OK, {"Content-Type": kind, "Content-Length": str(len(content))})
        if self.command == "GET":
            self.wfile.write(content)

    def _send_json(self, status: HTTPStatus, value: Any) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self._send_head(status, {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body))})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_to_site(self) -> None:
        """Redirect to the site's page: its links are relative to its own folder."""
        paths = self.source.paths
        if not paths.site_page.is_file():
            error = f"{paths.root} has no pages yet: `{job('site', paths.root)}` writes them"
            return self._send_json(HTTPStatus.NOT_FOUND, {"error": error})
        return self._send_head(
            HTTPStatus.FOUND, {"Location": f"/{paths.relative(paths.site_page)}", "Content-Length": "0"}
        )

    def _send_file(self, path: str) -> None:
        """Send a file under the atlas, or the part of it that is asked for; nothing outside is ever opened."""
        root = self.source.path.resolve()
        if (folder := folder_of_page(root, path)) is not None:
            return self._send_head(HTTPStatus.FOUND, {"Location": f"/{folder}/", "Content-Length": "0"})
        file = open_file(root, path)
        if file is None:
            return self._send_json(HTTPStatus.NOT_FOUND, {"error": f"there is no file {path!r} in this atlas"})
        with file:
            return self._send_part(file)

    def _send_part(self, file: BufferedReader) -> None:
        """Send the range that is asked for; no content when the browser has the file as it is."""
        state = os.fstat(file.fileno())
        size, stamp = state.st_size, f'"{state.st_mtime_ns:x}-{state.st_size:x}"'
        if self.headers.get("If-None-Match") == stamp:
            return self._send_head(HTTPStatus.NOT_MODIFIED, {"ETag": stamp})
        # then the part that the browser has is of an older file, and a second part would not fit to it
        changed = self.headers.get("If-Range", stamp) != stamp
        span = (0, size) if changed else byte_range(self.headers.get("Range"), size)
        if span is None:
            return self._send_head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {"Content-Range": f"bytes */{size}"})
        start, stop = span
        part = span != (0, size)
        headers = {"Content-Type": guess_type(file.name)[0] or "application/octet-stream", "Accept-Ranges": "bytes"}
        headers |= {"Content-Length": str(stop - start), "ETag": stamp, "Cache-Control": "no-cache"}
        headers |= {"Content-Range": f"bytes {start}-{stop - 1}/{size}"} if part else {}
        self._send_head(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK, headers)
        if self.command == "GET":
            copy_bytes(file, self.wfile, start, stop)
        return None

    def _send_head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "X-Content-Type-Options": "nosniff"}.items():
            self.send_header(name, value)
        self.end_headers()


def _rows(atlas: Atlas, path: str, query: Query) -> list[dict[str, Any]]:
    """The same rows as the command of that name. UnknownName when there is none."""
    name, _, rest = path.partition("/")
    if name not in ANSWERS:
        there = ", ".join(f"/api/{answer}" for answer in (*ANSWERS, "sql", "ask"))
        raise UnknownName(f"there is no /api/{name}; there are {there}")
    return plain_rows(ANSWERS[name](atlas, rest, query))


def _ask(atlas: Atlas, picture: Image.Image, query: Query) -> list[dict[str, Any]]:
    """The rows of `atlas ask`; TypeError for a word of the query that it does not take."""
    options: dict[str, Any] = {key: value for key, value in query.items() if key != "top"}
    return plain_rows(atlas.ask(picture, int(query.get("top", 20)), **options))


def _feature(atlas: Atlas, address: str, query: Query) -> pa.Table:
    return atlas.feature(address).rows()


def _similar(atlas: Atlas, address: str, query: Query) -> pa.Table:
    options: dict[str, Any] = {key: value for key, value in query.items() if key != "top"}
    options |= {flag: query[flag].lower() in ("1", "true") for flag in FLAGS if flag in query}
    return atlas.feature(address).similar(int(query.get("top", 10)), **options)


def _sql(atlas: Atlas, query: Query, wanted: Callable[[], bool]) -> list[dict[str, Any]]:
    """The rows of a statement, which ends with the client that waits for them."""
    if "q" not in query:
        raise ValueError("write the query as /api/sql?q=SELECT…")
    return plain_rows(atlas.sql(query["q"], wanted))


ANSWERS: dict[str, Callable[[Atlas, str, Query], pa.Table]] = {"feature": _feature, "similar": _similar}
