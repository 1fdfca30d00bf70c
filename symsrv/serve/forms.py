"""A posted dump: a form as Breakpad and Crashpad send it, or the bare file, spooled to the disk within limits.

Both send multipart/form-data with the dump in `upload_file_minidump`; Crashpad sends it in chunks, and by default the
whole body packed with gzip. Other files of the form (attachments) are passed over.
"""

import asyncio
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from symsrv.model.names import base_name
from symsrv.serve.asgi import Receive, Scope, header
from symsrv.serve.pools import Pools

DUMP_FIELD = "upload_file_minidump"
FIELD_LIMIT_BYTES = 16 << 10
FIELDS_LIMIT = 256  # Crashpad's annotations are fields
_NAME_LIMIT = 200
_WRITE_BYTES = 1 << 20
_UNPACK_BYTES = 1 << 20
_MULTIPART = b"multipart/form-data"
_UNPLAIN = re.compile(r"[^\w.@+ -]")


class Rejected(Exception):
    """A request that is not taken; `status` and `reason` are what the client hears."""

    def __init__(self, status: int, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.reason = reason


@dataclass(slots=True)
class Posted:
    """A dump on the disk, the name that it was given, and the text fields that came with it or in the query."""

    path: Path
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)


class _Sink(Protocol):
    def write(self, data: bytes) -> None:
        """Takes the next piece of the body."""

    def end(self) -> None:
        """Hears that the body is whole."""


async def take(
    scope: Scope, receive: Receive, pools: Pools, *, folder: Path, limit_bytes: int, seconds: float
) -> Posted:
    """Takes a request's body into a folder; raises Rejected if there is no dump in it, or it is too large or slow."""
    query = parse_qsl(scope.get("query_string", b"").decode("utf-8", "replace"))
    found = Posted(folder / "dump", fields=dict(query[:FIELDS_LIMIT]))
    sink = _sink(scope, found, limit_bytes)
    try:
        async with asyncio.timeout(seconds):
            await _read(receive, sink, pools)
    except TimeoutError:
        raise Rejected(408, "too-slow", f"the dump did not come within {seconds:g} seconds") from None
    return found


async def _read(receive: Receive, sink: _Sink, pools: Pools) -> None:
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Rejected(400, "broken-body", "the client went away before its dump was whole")
        more = message.get("more_body", False)
        piece = message.get("body", b"")
        pieces.append(piece)
        size += len(piece)
        if size >= _WRITE_BYTES or not more:
            await pools.in_io(sink.write, b"".join(pieces))
            pieces, size = [], 0
    await pools.in_io(sink.end)


def _sink(scope: Scope, found: Posted, limit_bytes: int) -> _Sink:
    headers = scope["headers"]
    size = header(headers, b"content-length")
    if size.isdigit() and int(size) > limit_bytes:
        raise _too_large(limit_bytes)
    kind, options = parse_options_header(header(headers, b"content-type"))
    sink: _Sink
    if kind.lower() == _MULTIPART:
        if not options.get(b"boundary"):
            raise Rejected(400, "malformed-form", "the form does not say what stands between its parts")
        sink = _Form(found, options[b"boundary"], limit_bytes)
    else:
        sink = _File(found, limit_bytes)
    encoding = header(headers, b"content-encoding").strip().lower()
    if encoding in (b"gzip", b"x-gzip"):
        return _Unpacked(sink)
    if encoding not in (b"", b"identity"):
        raise Rejected(415, "unknown-encoding", "a body is plain, or packed with gzip")
    return sink


class _File:
    """The body is the dump."""

    def __init__(self, found: Posted, limit_bytes: int) -> None:
        self._found = found
        self._left = self._limit = limit_bytes

    def write(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise _too_large(self._limit)
        with open(self._found.path, "ab") as stream:
            stream.write(data)

    def end(self) -> None:
        if self._left == self._limit:
            raise Rejected(400, "empty", "there is no dump in the body")


class _Unpacked:
    """A body packed with gzip; its limit is the one of what comes out."""

    def __init__(self, sink: _Sink) -> None:
        self._sink = sink
        self._unpacker = zlib.decompressobj(wbits=31)

    def write(self, data: bytes) -> None:
        try:
            while data and not self._unpacker.eof:
                plain = self._unpacker.decompress(data, _UNPACK_BYTES)
                self._sink.write(plain)
                data = self._unpacker.unconsumed_tail
        except zlib.error as error:
            raise Rejected(400, "broken-body", f"the body cannot be unpacked: {error}") from error

    def end(self) -> None:
        if not self._unpacker.eof:
            raise Rejected(400, "broken-body", "the packed body is cut")
        self._sink.end()


class _Form:
    """multipart/form-data: the dump goes to the disk as it comes, small text fields are kept."""

    def __init__(self, found: Posted, boundary: bytes, limit_bytes: int) -> None:
        self._found = found
        self._left = self._limit = limit_bytes
        self._ended = False
        self._dumps = 0
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._field: str | None = None
        self._text = bytearray()
        self._dump = bytearray()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._part,
                    "on_part_data": self._data,
                    "on_part_end": self._finish,
                    "on_end": self._whole,
                },
            )
        except FormParserError as error:
            raise Rejected(400, "malformed-form", f"the form cannot be read: {error}") from error

    def write(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise _too_large(self._limit)
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise Rejected(400, "malformed-form", f"the form cannot be read: {error}") from error
        if self._dump:
            with open(self._found.path, "ab") as stream:
                stream.write(self._dump)
            self._dump.clear()

    def end(self) -> None:
        if not self._ended:
            raise Rejected(400, "broken-body", "the form is cut")
        if not self._dumps:
            raise Rejected(400, "empty", f"there is no dump in the form; it belongs into {DUMP_FIELD}")

    def _begin(self) -> None:
        self._headers, self._field = {}, None
        self._text.clear()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        file_name = options.get(b"filename")
        if name == DUMP_FIELD:
            self._dumps += 1
            if self._dumps > 1:
                raise Rejected(400, "malformed-form", f"there is more than one {DUMP_FIELD} in the form")
            self._found.path.touch()
            self._found.name = _plain(file_name.decode("utf-8", "replace")) if file_name else ""
        if name == DUMP_FIELD or file_name is None:
            self._field = name

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._field == DUMP_FIELD:
            self._dump += data[start:end]
        elif self._field is not None and len(self._text) < FIELD_LIMIT_BYTES:
            self._text += data[start:end]

    def _finish(self) -> None:
        if self._field in (None, DUMP_FIELD) or len(self._text) > FIELD_LIMIT_BYTES:
            return
        if len(self._found.fields) < FIELDS_LIMIT:
            self._found.fields[str(self._field)] = self._text.decode("utf-8", "replace")

    def _whole(self) -> None:
        self._ended = True


def _plain(name: str) -> str:
    """A file's name as it may be shown and kept."""
    return _UNPLAIN.sub("_", base_name(name))[:_NAME_LIMIT]


def _too_large(limit_bytes: int) -> Rejected:
    return Rejected(413, "too-large", f"a dump has {limit_bytes} bytes at most here")
