"""`000Admin` and `refs.ptr` in the form of symstore.exe: read in every form seen, edited by line, never rendered.

The rules come from stores that the real tool wrote: who terminates lines and who only separates them,
what is quoted, what is padded. Each `put_…` and `strike_…` looks first whether it is done already, because
recovery runs them again, and completes a line that a crash has torn.
"""

import csv
from collections.abc import Iterator
from datetime import datetime

from symsrv.backends.base import Backend
from symsrv.model.errors import Missing
from symsrv.model.records import Entry, Transaction, digits

ADMIN = "000Admin"
LASTID = f"{ADMIN}/lastid.txt"
SERVER = f"{ADMIN}/server.txt"
HISTORY = f"{ADMIN}/history.txt"
REFS = "refs.ptr"

_TAIL_BYTES = 64 << 10
_NEWLINE = b"\r\n"
DELETED = ".deleted"


def file_list(number: int) -> str:
    """The path of the file that lists what a transaction added."""
    return f"{ADMIN}/{digits(number)}"


def local_stamp(when: datetime) -> str:
    """`MM/DD/YYYY,HH:MM:SS` in this machine's own zone, as the tool notes the start of a transaction."""
    return when.astimezone().strftime("%m/%d/%Y,%H:%M:%S")


def quoted(text: str) -> str:
    """A quoted column. The form knows no escape, so quotes and line breaks inside become harmless."""
    plain = text.replace('"', "'")
    return '"' + "".join(character if character.isprintable() else " " for character in plain) + '"'


def add_line(transaction: Transaction) -> bytes:
    """The line of an add in `server.txt` and `history.txt`; the last field is reserved and empty."""
    texts = (transaction.product, transaction.version, transaction.comment)
    fields = [digits(transaction.number), "add", "file", transaction.local_stamp, *map(quoted, texts), ""]
    return _encoded(",".join(fields))


def delete_line(number: int, deleted: int) -> bytes:
    """The line of a delete in `history.txt`: three fields, no date."""
    return _encoded(f"{digits(number)},del,{digits(deleted)}")


def list_line(entry: Entry) -> bytes:
    """The line of a file in the transaction's own file."""
    folder = entry.home.rsplit("/", 1)[0].replace("/", "\\")
    return _encoded(f"{quoted(folder)},{quoted(entry.source)}")


def ref_line(number: int, entry: Entry) -> bytes:
    """The line of a reference: id, kind, source, symbol kind, -, compressed, -, -."""
    return _encoded(f"{digits(number)},file,{quoted(entry.source)},{entry.symbol_kind},,N,,")


def last_number(backend: Backend) -> int:
    """The last number that `lastid.txt` or `history.txt` knows, 0 in a new store."""
    history = _tail(backend, HISTORY).split(b"\n")
    return max([lastid(backend), *(_number(line[:10]) for line in history[-2:])])


def lastid(backend: Backend) -> int:
    """What `lastid.txt` says, which is all that symstore.exe asks; 0 if it is missing."""
    return _number(_tail(backend, LASTID).strip())


def put_lastid(backend: Backend, number: int) -> None:
    """Writes `lastid.txt`: ten digits and nothing else."""
    backend.write(LASTID, digits(number).encode())


def put_list(backend: Backend, transaction: Transaction) -> None:
    """Writes the file that lists what an add holds; every line is terminated."""
    lines = [list_line(entry) + _NEWLINE for entry in transaction.entries if entry.status.holds]
    backend.write(file_list(transaction.number), b"".join(lines))


def put_server_line(backend: Backend, transaction: Transaction) -> None:
    """Adds an add to the live transactions; every line is terminated."""
    _append(backend, SERVER, add_line(transaction), terminated=True)


def put_history_line(backend: Backend, line: bytes) -> None:
    """Adds a line to the history; lines are separated, the last has no newline."""
    _append(backend, HISTORY, line, terminated=False)


def put_ref(backend: Backend, number: int, entry: Entry) -> None:
    """Adds a reference beside the stored file; lines are separated."""
    folder = entry.home.rsplit("/", 1)[0]
    _append(backend, f"{folder}/{REFS}", ref_line(number, entry), terminated=False)


def strike_server_lines(backend: Backend, numbers: set[int]) -> int:
    """Takes deleted transactions out of the live ones; returns how many lines that were."""
    lines = _whole(backend, SERVER).splitlines(keepends=True)
    kept = [line for line in lines if _number(line[:10]) not in numbers]
    if len(kept) < len(lines):
        backend.write(SERVER, b"".join(kept))
    return len(lines) - len(kept)


def strike_refs(backend: Backend, folder: str, numbers: set[int]) -> int:
    """Takes the references of deleted transactions out of a folder; the last one gone, the file goes.

    Returns how many lines that were.
    """
    path = f"{folder}/{REFS}"
    lines = ref_lines(_whole(backend, path))
    kept = [line for line in lines if _number(line[:10]) not in numbers]
    if not kept:
        backend.delete(path)
    elif len(kept) < len(lines):
        backend.write(path, _NEWLINE.join(kept))
    return len(lines) - len(kept)


def ref_lines(data: bytes) -> list[bytes]:
    """The lines of a `refs.ptr`, whatever ends them."""
    return [line for line in data.splitlines() if line]


def retire_list(backend: Backend, number: int) -> None:
    """Renames a deleted add's file, content unchanged."""
    path = file_list(number)
    if backend.stat(path) is not None:
        backend.rename(path, path + DELETED)


def parse_list(data: bytes) -> list[tuple[str, str]]:
    """The (`name/id`, source) pairs of a transaction's file, quoted or in the old bare form.

    Lines that are torn or hold something else are left out.
    """
    rows = _rows(data)
    return [(row[0].replace("\\", "/"), row[1] if len(row) > 1 else "") for row in rows if row[0].count("\\") == 1]


def parse_history(data: bytes) -> dict[int, list[str]]:
    """The fields of each history line by number: `[id, add, file, date, time, product, …]` or `[id, del, id]`."""
    return {number: row for row in _rows(data) if len(row) >= 3 and (number := _number(row[0].encode()))}


def missing_part(data: bytes, line: bytes, *, terminated: bool) -> bytes:
    """What has to be appended to `data` for `line` to stand in it: nothing, the rest of a torn line, or all of it.

    A tail that is the beginning of `line` is our own torn append: numbers are never used twice, so no other
    line begins like it to its end.
    """
    whole = line + (_NEWLINE if terminated else b"")
    *complete, tail = data.split(b"\n")
    if any(one.rstrip(b"\r") == line for one in complete):
        return b""
    if not tail:
        return whole
    if (line + _NEWLINE).startswith(tail):
        return whole[len(tail) :]
    return (b"\n" if tail.endswith(b"\r") else _NEWLINE) + whole


def _append(backend: Backend, path: str, line: bytes, *, terminated: bool) -> None:
    if part := missing_part(_tail(backend, path), line, terminated=terminated):
        backend.append(path, part)


def _tail(backend: Backend, path: str) -> bytes:
    try:
        return backend.read(path, last=_TAIL_BYTES)
    except Missing:
        return b""


def _whole(backend: Backend, path: str) -> bytes:
    try:
        return backend.read(path)
    except Missing:
        return b""


def _rows(data: bytes) -> Iterator[list[str]]:
    """The columns of each line; line by line, because the Python symstore package leaves quotes open."""
    for line in _decoded(data).splitlines():
        if line and len(line) < _TAIL_BYTES:
            yield next(csv.reader([line]))


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() else 0


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _decoded(data: bytes) -> str:
    """UTF-8 with or without BOM, UTF-16 with one, else byte by byte: other tools' files are read, not judged."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
