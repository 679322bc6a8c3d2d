"""A picture that a browser sends to `atlas serve`: headers and a stream in, a picture or one refusal out; all bounded."""

from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from io import BufferedIOBase

from PIL import Image

from atlas.store.images import TooManyPixels, picture_of_bytes

MOST_BYTES = 20 * 1024 * 1024
MOST_PIXELS = 64_000_000  # decoded it takes three bytes of each, twice while it is turned
# what is read, and thrown away, of a body that is refused: a browser shows the answer only once it has sent all
DRAINED = 4 * MOST_BYTES
PIECE = 1 << 16
HOW = "send the picture itself, as curl --data-binary @cat.jpg -H 'Content-Type: image/jpeg'"


class Refusal(Exception):
    """What was sent is not taken; status: the HTTP answer's."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def read_upload(headers: Message, stream: BufferedIOBase) -> Image.Image:
    """The picture of a request, as its body or as a file of a form: upright RGB. Refusal for anything else."""
    kind = (headers.get("Content-Type") or "application/octet-stream").partition(";")[0].strip().lower()
    length = _length(headers)
    is_form = kind == "multipart/form-data"
    if length > MOST_BYTES:
        _drain(stream, length)
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{length:,} bytes: at most {MOST_BYTES:,} are taken")
    body = _body(stream, length)
    if not (is_form or kind.startswith("image/") or kind == "application/octet-stream"):
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type {kind} is no picture: {HOW}")
    content = _file_of_form(headers["Content-Type"], body) if is_form else body
    try:
        return picture_of_bytes(content, "what was sent", MOST_PIXELS)
    except TooManyPixels as error:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error)) from None
    except OSError as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from None


def _length(headers: Message) -> int:
    text = headers.get("Content-Length")
    if text is None:
        raise Refusal(HTTPStatus.LENGTH_REQUIRED, "say the picture's size in Content-Length")
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"Content-Length {text!r}: the bytes of a picture are wanted, 1 or more")
    return int(text)


def _body(stream: BufferedIOBase, length: int) -> bytes:
    """The whole body. Refusal where the sender stops before its end, or says nothing for too long."""
    try:
        body = stream.read(length)
    except TimeoutError:
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "the picture stopped coming") from None
    if len(body) < length:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"only {len(body):,} of {length:,} bytes came")
    return body


def _file_of_form(kind: str, body: bytes) -> bytes:
    """The first file of a form."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body)
    for part in message.iter_parts():
        if part.get_filename() is not None:
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else b""
    raise Refusal(HTTPStatus.BAD_REQUEST, f"the form holds no file: {HOW}")


def _drain(stream: BufferedIOBase, length: int) -> None:
    left = min(length, DRAINED)
    try:
        while left > 0 and (piece := stream.read(min(left, PIECE))):
            left -= len(piece)
    except TimeoutError:
        return
