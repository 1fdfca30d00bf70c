"""`000Admin` and `refs.ptr` in the form of symstore.exe: read in every form seen, edited by line, never rendered.

The rules come from stores that the real tool wrote: who terminates lines and who only separates them,
what is quoted, what is padded. Each `put_…` and `strike_…` looks first whether it is done already, because
recovery runs them again, and completes a line that a crash has torn.
"""

from datetime import datetime

from symsrv.backends.base import Backend
from symsrv.model.errors import Missing
from symsrv.model.names import fold
from symsrv.model.records import Entry, Transaction, digits
from symsrv.store.lines import columns, rows, text_of
from symsrv.store.pointers import POINTER_FILE, parse_pointer, pointer_text

ADMIN = "000Admin"
LASTID = f"{ADMIN}/lastid.txt"
SERVER = f"{ADMIN}/server.txt"
HISTORY = f"{ADMIN}/history.txt"
REFS = "refs.ptr"

_TAIL_BYTES = 64 << 10
_NEWLINE = b"\r\n"
DELETED = ".deleted"
MSFZ_FOLDER = "msfz0"
_KEY_SEPARATORS = 3
_NUMBER_DIGITS = 10


def file_list(number: int) -> str:
    """The path of the file that lists what a transaction added."""
    return f"{ADMIN}/{digits(number)}"


def local_stamp(when: datetime) -> str:
    """`MM/DD/YYYY,HH:MM:SS` in this machine's own zone, as the tool notes the start of a transaction."""
    return when.astimezone().strftime("%m/%d/%Y,%H:%M:%S")


def quoted(text: str) -> str:
    """A quoted column. The form knows no escape, so quotes and line breaks inside become harmless."""
    plain = text.replace('"', "'")
    if not plain.isprintable():
        plain = "".join(character if character.isprintable() else " " for character in plain)
    return f'"{plain}"'


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
    folder = one_tier(entry.home.rsplit("/", 1)[0]).replace("/", "\\")
    return _encoded(f"{quoted(folder)},{quoted(entry.source)}")


def ref_line(number: int, entry: Entry) -> bytes:
    """The line of a reference: id, kind, source, symbol kind, -, compressed, -, -."""
    return _encoded(
        f"{digits(number)},file,{quoted(entry.source)},{entry.symbol_kind},,{'Y' if entry.encoding else 'N'},,"
    )


def last_number(backend: Backend) -> int:
    """The last number that `lastid.txt`, `history.txt` or `server.txt` knows, 0 in a new store."""
    tails = [text_of(_tail(backend, path)) for path in (HISTORY, SERVER)]
    lines = [text.read(line) for text in tails for line in text.lines[-2:]]
    return max([lastid(backend), *map(leading_number, lines)])


def lastid(backend: Backend) -> int:
    """What `lastid.txt` says, which is all that symstore.exe asks; 0 if it is missing."""
    text = text_of(_tail(backend, LASTID))
    return number_of(text.read(text.lines[0]).strip()) if text.lines else 0


def for_index_readers(backend: Backend, name: str) -> bytes | None:
    """`lastid.txt`, or a number's list without source paths, as Sentry's index reader asks for them; None if unknown.

    It wants every number up to the last, so a delete, and what was deleted, is an empty list.
    """
    if name == "lastid.txt":
        return digits(last_number(backend)).encode()
    if len(name) != 10 or not name.isdecimal() or not name.isascii() or int(name) == 0:
        return None
    try:
        pairs = parse_list(backend.read(file_list(int(name))))
    except Missing:
        return b"" if int(name) <= last_number(backend) else None
    return "".join(f'"{key}",""\r\n'.replace("/", "\\") for key, _source in pairs).encode()


def unlisted(backend: Backend, number: int) -> int:
    """The first number from this one on under which no tool has a list: lastid.txt may be lost, or put back."""
    while any(backend.stat(file_list(number) + suffix) for suffix in ("", DELETED)):
        number += 1
    return number


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
    text = text_of(whole(backend, SERVER))
    kept = [line for line in text.lines if leading_number(text.read(line)) not in numbers]
    if len(kept) < len(text.lines):
        backend.write(SERVER, text.joined(kept))
    return len(text.lines) - len(kept)


def strike_refs(backend: Backend, folder: str, numbers: set[int]) -> int:
    """Takes the references of deleted transactions out of a folder; the last one gone, the file of them goes.

    `file.ptr` is brought to what is left first, so that doing it twice does no harm. Returns how many lines that were.
    """
    path = f"{folder}/{REFS}"
    text = text_of(whole(backend, path))
    kept = [line for line in text.lines if leading_number(text.read(line)) not in numbers]
    if len(kept) < len(text.lines):
        _settle_pointer(backend, folder, [columns(text.read(line)) for line in kept])
    if not any(text.read(line) for line in kept):
        backend.delete(path)
    elif len(kept) < len(text.lines):
        backend.write(path, text.joined(kept))
    return len(text.lines) - len(kept)


def _settle_pointer(backend: Backend, folder: str, kept: list[list[str]]) -> None:
    """The last reference decides: a pointer's is in `file.ptr`, and with a file's there is no `file.ptr`.

    With none left it goes with its last holder, like a file.
    """
    last = next((row for row in reversed(kept) if len(row) > 2), None)
    path = f"{folder}/{POINTER_FILE}"
    if last is None:
        return
    before = whole(backend, path)
    if last[1] == "file":
        backend.delete(path)
    elif last[1] == "ptr" and parse_pointer(before).path != last[2]:
        backend.write(path, pointer_text(last[2], before))


def ref_lines(data: bytes) -> list[bytes]:
    """The lines of a `refs.ptr`, whatever ends them."""
    return [line for line in data.splitlines() if line]


def retire_list(backend: Backend, number: int) -> None:
    """Renames a deleted add's file, content unchanged."""
    path = file_list(number)
    if backend.stat(path) is not None:
        backend.rename(path, path + DELETED)


def parse_list(data: bytes) -> list[tuple[str, str]]:
    """The (key, source) pairs of a transaction's file, quoted or in the old bare form.

    A key is `name/id`, or `name/id/msfz0`; a two-tier store's prefix is left out. Lines that are torn or hold
    something else are left out, too.
    """
    found = []
    for row in rows(data):
        if key := list_key(row[0]):
            found.append((key, row[1] if len(row) > 1 else ""))
    return found


def list_key(column: str) -> str | None:
    """The key that the first column of a list names, or None: `name\\id`, with a prefix before it or `msfz0` behind."""
    if not 1 <= column.count("\\") <= _KEY_SEPARATORS or "/" in column:
        return None
    key = one_tier(column.replace("\\", "/"))
    parts = key.split("/")
    tail_fits = len(parts) == 2 or (len(parts) == 3 and fold(parts[2]) == MSFZ_FOLDER)
    return key if tail_fits and not {"", ".", ".."} & set(parts) else None


def one_tier(folder: str) -> str:
    """A folder of a store without the prefix that it has in a two-tier store."""
    prefix, slash, rest = folder.partition("/")
    inner = rest.count("/") - (1 if fold(rest).endswith(f"/{MSFZ_FOLDER}") else 0)
    name = rest.split("/")[0]
    tiered = slash and inner == 1 and name and fold(prefix) in {fold(name[:2]), fold(name[:2]).rstrip(".")}
    return rest if tiered else folder


def parse_history(data: bytes) -> dict[int, list[str]]:
    """The fields of each history line by number: `[id, add, file, date, time, product, …]` or `[id, del, id]`."""
    return {number: row for row in rows(data) if len(row) >= 3 and (number := number_of(row[0]))}


def number_of(text: str) -> int:
    """A transaction's number as other tools write it; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS else 0


def leading_number(line: str) -> int:
    """The number that a line of `000Admin` or `refs.ptr` begins with; 0 if it has none."""
    row = columns(line)
    return number_of(row[0].strip()) if row else 0


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


def whole(backend: Backend, path: str) -> bytes:
    """The bytes at a path; none where nothing is."""
    try:
        return backend.read(path)
    except Missing:
        return b""


def _append(backend: Backend, path: str, line: bytes, *, terminated: bool) -> None:
    tail = _tail(backend, path)
    if b"\0" in tail[-_NUMBER_DIGITS * 2 :]:
        _append_coded(backend, path, line, terminated=terminated)
    elif part := missing_part(tail, line, terminated=terminated):
        backend.append(path, part)


def _append_coded(backend: Backend, path: str, line: bytes, *, terminated: bool) -> None:
    """Appends to a file in UTF-16: the line is compared and written in the file's own code."""
    text = text_of(whole(backend, path))
    as_bytes = "".join(f"{text.read(one)}\r\n" for one in text.lines[:-1])
    last = text.lines[-1].decode(text.code, "replace") if text.lines else ""
    if part := missing_part((as_bytes + last).encode(), line, terminated=terminated):
        backend.append(path, text.bytes_of(part.decode()))


def _tail(backend: Backend, path: str) -> bytes:
    try:
        return backend.read(path, last=_TAIL_BYTES)
    except Missing:
        return b""


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")
