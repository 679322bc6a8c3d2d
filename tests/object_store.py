"""A real S3 server on this machine, SeaweedFS, and a proxy that makes it one of those that ignore conditions."""

import http.client
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from atlas.records import Part
from atlas.store.bucket_path import is_remote, path_of
from tests.ports import free_ports

WEED = Path(sys.executable).with_name("weed")
HOST = "127.0.0.1"
BUCKET = "atlases"
READY = 60.0  # seconds until the server answers, at most
PORTS = ("master.port", "volume.port", "filer.port", "s3.port")
QUIET = (
    *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false", "-s3.iam=false"),
    *("-volume.max=40", "-master.volumeSizeLimitMB=32", "-s3.allowEmptyFolder=true"),
)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder as S3, to anybody on this machine; yields the endpoint."""
    ports = free_ports(2 * len(PORTS))
    numbers = {name: ports.pop() for name in [*PORTS, *(f"{name}.grpc" for name in PORTS)]}
    flags = [f"-{name}={number}" for name, number in numbers.items()]
    command = [str(WEED), "server", "-s3", f"-ip={HOST}", f"-ip.bind={HOST}", f"-dir={folder}", *flags, *QUIET]
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        endpoint = f"{HOST}:{numbers['s3.port']}"
        end = time.monotonic() + READY
        while not _answers(endpoint):
            assert server.poll() is None and time.monotonic() < end, (folder / "log").read_text()[-2000:]
            time.sleep(0.2)
        yield f"http://{endpoint}"
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def ignoring(header: str, endpoint: str) -> Iterator[str]:
    """A store that does what it is asked, but never hears of one header; yields its endpoint."""

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = http.client.HTTPConnection(endpoint.removeprefix("http://"))
            connection.request(
                self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() != header}
            )
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass_on

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Proxy)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def use(endpoint: str) -> None:
    """Have this process and those that it starts speak to a store."""
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"}
    os.environ.update({"AWS_ENDPOINT_URL": endpoint, **keys})


def new_place(bucket: str = BUCKET) -> str:
    """A URL below which there is nothing. bucket: what a process knows of one it keeps, and its endpoint, too."""
    assert _status(os.environ["AWS_ENDPOINT_URL"].removeprefix("http://"), f"/{bucket}") in (200, 409)
    return f"s3://{bucket}/{uuid.uuid4().hex[:12]}/a"


def objects_under(url: str) -> dict[str, bytes]:
    """Every object below a URL, by the rest of its key."""
    root = path_of(url)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*")}


def images_under(url: str) -> dict[str, bytes]:
    """As `sweeps.image_bytes` of a folder."""
    return {name: data for name, data in sorted(objects_under(url).items()) if name.startswith("images/")}


def bury(url: str, part: Part | None = None) -> None:
    """Have the lock of this process say that its owner is gone, as after a kill -9 of one that held it."""
    from atlas.store.files import read_json, write_json
    from atlas.store.paths import AtlasPaths

    lock = AtlasPaths(url).lock_of(part)
    assert is_remote(lock)
    if lock.is_file():
        write_json(lock, {**read_json(lock), "started": "long ago"})


def _answers(endpoint: str) -> bool:
    """Whether an object can be written: the server listens before it can store anything."""
    return _status(endpoint, f"/{BUCKET}") in (200, 409) and _status(endpoint, f"/{BUCKET}/ready/sign") == 200


def _status(endpoint: str, path: str) -> int:
    """What the server says to a PUT; 0: nothing."""
    connection = http.client.HTTPConnection(endpoint, timeout=5)
    try:
        connection.request("PUT", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
