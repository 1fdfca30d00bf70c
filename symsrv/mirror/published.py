"""What a whole upstream publishes of its transactions: our own documents where they can be read, otherwise `000Admin`.

Over HTTP symsrv shows `000Admin/lastid.txt` and each number's list, and no more; a folder, a bucket or a plain web
server may have `history.txt` and `server.txt`, too, which tell products, versions and deletes. All of it is somebody
else's word: texts and requests are bounded, and keys become asks by `parse_any`, which checks their names.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from symsrv.layouts import parse_any
from symsrv.mirror.base import Absent, Refused, Try, Upstream, WrongContent
from symsrv.mirror.decoding import unwrapped
from symsrv.mirror.spellings import address
from symsrv.model.ask import Ask
from symsrv.model.errors import NewerFormat
from symsrv.model.records import Status, digits
from symsrv.store import microsoft, places
from symsrv.store.lines import Text, columns, text_of

LIST_BYTES = 128 << 20
"""A list or document that is longer is not read: at 150 to 600 bytes a file, hundreds of thousands of files."""

_LAST_BYTES = 64
_LINES_BYTES = 32 << 20
_CODED_BYTES = 16 << 20  # UTF-16 is read in one piece
_LINE_BYTES = 64 << 10
_HEAD_BYTES = 256
_DOCUMENT_LINE_BYTES = 4 << 20  # an entry has the file's identities, which may be many


class NotFollowed(StrEnum):
    """Why something that an upstream publishes is passed over, or why it cannot be followed. Tools read these words."""

    BAD_KEY = "bad-key"
    PRODUCT = "other-product"
    VERSION = "other-version"
    NAME = "other-name"
    DOCUMENT = "bad-document"
    NONE = "no-transactions"
    BACK = "went-back"


class Spent(Exception):
    """As many requests were made as a pass may make."""


@dataclass(frozen=True, slots=True)
class Published:
    """One transaction of an upstream. `kind` is `add`, `del`, or `none` where nothing is under the number (any more).

    `product` and `version` are None where it does not tell them. `files` yields the asks of its files, None for each
    that cannot be one. `fault` is why what is there cannot be read, however often it is asked for: too big, damaged.
    """

    number: int
    kind: str
    product: str | None = None
    version: str | None = None
    deletes: tuple[int, ...] = ()
    path: Path | None = None
    fault: str | None = None

    def files(self, start: int = 0) -> Iterator[Ask | None]:
        """The asks of its files from the one at `start` on, in the order of the list."""
        if self.path is None:
            return iter(())
        keys = _document_keys(self.path) if self.path.suffix == _DOCUMENT else _list_keys(self.path)
        return (None if key is None else parse_any(key) for key in islice(keys, start, None))


_DOCUMENT = ".jsonl"
_ROW_FIELDS = 3
_PLAIN = Text(b"", "utf-8", ())  # how a line is read that no mark says anything of
_FAULTS = ("too-big", "damaged", "several-files", NotFollowed.DOCUMENT)


class Publication:
    """One upstream's transactions, for one pass; not for several threads.

    `documents`: whether our own may be read, which is so of a folder or bucket; then `lastid.txt` is not the last word.
    `reads` is how many requests may be made, `numbers` whose lines in `history.txt` and `server.txt` are of interest.
    Raises Spent when there are no more reads, and what the upstream raises, but Absent.
    """

    def __init__(
        self, upstream: Upstream, *, reads: int, numbers: Callable[[int], bool] = lambda _number: True
    ) -> None:
        self._upstream = upstream
        self._folder = tempfile.TemporaryDirectory(prefix="symsrv-tail-", ignore_cleanup_errors=True)
        self.documents = urlsplit(upstream.options.url).scheme not in ("http", "https")
        self.left = reads
        self._wanted = numbers
        self._into: Path | None = None

    def last(self) -> int:
        """The highest number that it says it has; raises Absent if it says none, WrongContent if that is no number."""
        path = self._read(microsoft.LASTID)
        if path is None:
            raise Absent(NotFollowed.NONE, f"{self._upstream.options.name} publishes no {microsoft.LASTID}")
        with path.open("rb") as stream:
            text = text_of(stream.read(_LAST_BYTES + 1))
        said = text.read(text.lines[0]).strip() if text.lines else ""
        number = microsoft.number_of(said)
        if not number and said != digits(0):
            raise WrongContent(NotFollowed.NONE, f"{microsoft.LASTID} of {self._upstream.options.name} has no number")
        return number

    def transaction(self, number: int) -> Published:
        """What is under a number. Its files are read from a copy that goes with the next call."""
        try:
            return self._transaction(number)
        except (Refused, WrongContent) as error:
            if error.reason not in _FAULTS:
                raise
            return Published(number, "none", fault=error.reason)

    def _transaction(self, number: int) -> Published:
        if self.documents:
            emptied = self.emptied(number)  # a document stays when its transaction is deleted
            if found := self._read(places.document(number), suffix=_DOCUMENT):
                one = _from_document(number, found)
                return Published(number, "none") if emptied and one.kind == "add" else one
        row = self._lines.get(number, [])
        if row[1:2] == ["del"]:
            return Published(number, "del", deletes=(microsoft.number_of(row[2]),))
        listed = self._read(microsoft.file_list(number))
        if listed is None or not listed.stat().st_size:
            return Published(number, "none")
        product, version = (*row[5:7], "", "")[:2] if row else (None, None)
        return Published(number, "add", product, version, path=listed)

    @property
    def tells_deletes(self) -> bool:
        """Whether deletes come as transactions of their own, so that nothing has to be looked at again."""
        return self.documents or bool(self._lines)

    def emptied(self, number: int) -> bool:
        """Whether what was under a number was deleted: its list is there and empty, or was renamed.

        A list that is simply not there proves nothing: a web server may hide it from one day to the next.
        """
        listed = self._read(microsoft.file_list(number))
        if listed is not None:
            return not listed.stat().st_size
        return self._read(microsoft.file_list(number) + microsoft.DELETED) is not None

    def close(self) -> None:
        """Drops what was read."""
        self._folder.cleanup()

    @cached_property
    def _lines(self) -> dict[int, list[str]]:
        """What `history.txt` and `server.txt` say, by number; empty where they cannot be read."""
        found: dict[int, list[str]] = {}
        for path in (microsoft.SERVER, microsoft.HISTORY):
            text = self._read(path)
            if text is not None and text.stat().st_size <= _LINES_BYTES:
                found |= {number: row for number, row in _line_rows(text) if self._wanted(number)}
        return found

    def _read(self, path: str, *, suffix: str = "") -> Path | None:
        """A copy of one of its files, decoded; None if it is not there."""
        if not self.left:
            raise Spent
        self.left -= 1
        if self._into is not None:
            shutil.rmtree(self._into, ignore_errors=True)
        self._into = into = Path(tempfile.mkdtemp(dir=self._folder.name))
        try:
            fetched = self._upstream.fetch(Try(path, address(self._upstream.options.url, path)), into)
        except Absent:
            return None
        plain, _notes = unwrapped(fetched.path, fetched.encoding, limit=LIST_BYTES)
        return plain.rename(into / f"text{suffix}")


def _from_document(number: int, path: Path) -> Published:
    """What a document's header says; raises WrongContent or NewerFormat."""
    with path.open("rb") as stream:
        header = _record(stream.readline(_DOCUMENT_LINE_BYTES), number)
    if not isinstance(header.get("format"), int) or header.get("number") != number:
        raise WrongContent(
            NotFollowed.DOCUMENT, f"the document of transaction {digits(number)} has no header of its own"
        )
    if header["format"] > places.FORMAT:
        raise NewerFormat(f"the document of transaction {digits(number)}", header["format"], places.FORMAT)
    deletes = header.get("deletes", [])
    numbers = tuple(one for one in deletes if isinstance(one, int)) if isinstance(deletes, list) else ()
    kind = "del" if header.get("type") == "del" else "add"
    product, version = (str(header.get(name, "")) for name in ("product", "version"))
    return Published(number, kind, product, version, deletes=numbers, path=path if kind == "add" else None)


def _record(line: bytes, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise WrongContent(NotFollowed.DOCUMENT, f"the document of transaction {digits(number)} is no JSON") from error
    return found if isinstance(found, dict) else {}


def _document_keys(path: Path) -> Iterator[str | None]:
    """The homes of the entries that hold a file; None for a line that names none."""
    with path.open("rb") as stream:
        stream.readline(_DOCUMENT_LINE_BYTES)
        while line := stream.readline(_DOCUMENT_LINE_BYTES):
            try:
                entry = _record(line, 0)
            except WrongContent:
                entry = {}
            if entry.get("status") != Status.CONFLICT:
                home = entry.get("home")
                yield home if isinstance(home, str) else None


def _list_keys(path: Path) -> Iterator[str | None]:
    """`name/id/name` of each line of a list; None for a line that names no file."""
    for row in _rows(path):
        key = microsoft.list_key(row[0])
        yield None if key is None else f"{key}/{key.partition('/')[0]}"


def _line_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    for row in _rows(path):
        if len(row) >= _ROW_FIELDS and (number := microsoft.number_of(row[0].strip())):
            yield number, row


def _rows(path: Path) -> Iterator[list[str]]:
    """The columns of each line that has any, whatever code the file is in; one in UTF-16 only as far as it fits."""
    with path.open("rb") as stream:
        head = text_of(stream.read(_HEAD_BYTES))
        stream.seek(0)
        if head.mark or head.code != _PLAIN.code:
            text = text_of(stream.read(_CODED_BYTES))
            yield from (row for line in text.lines if (row := columns(text.read(line))))
            return
        while line := stream.readline(_LINE_BYTES):
            if row := columns(_PLAIN.read(line)):
                yield row
