"""Mends `000Admin` and `refs.ptr` line by line: adds what is missing, completes what is torn, takes out what is gone.

Other lines keep their bytes, their ends and their place.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from symsrv.backends.base import Backend
from symsrv.model.records import digits
from symsrv.store import microsoft
from symsrv.store.damage import whole_line
from symsrv.store.lines import Text, text_of

if TYPE_CHECKING:
    from symsrv.ledger.index import Index

_NUMBERED = ("history", "server")
_ENDED = ("list", "server")


@dataclass(frozen=True, slots=True)
class Mend:
    """One step that mends something. `do` is atomic, and harmless if it is done twice."""

    path: str
    sentence: str
    do: Callable[[], None]
    lines: int = 1


def mend_admin(backend: Backend, index: "Index") -> int:
    """Brings `000Admin` and `refs.ptr` to what the documents say; returns how many lines that were.

    The caller holds the lock and has recovered. On a bucket this is how `server.txt`, `history.txt` and `refs.ptr`
    come to be.
    """
    count = 0
    for mend in admin_mends(backend, index):
        mend.do()
        count += mend.lines
    return count


def admin_mends(backend: Backend, index: "Index") -> Iterator[Mend]:
    """Every step that `mend_admin` takes; each is thought of after the one before it was taken.

    Lines of another tool are only copied from where they still are: between `history.txt` and `server.txt`.
    """
    history: dict[int, str] = {}
    server: dict[int, str] = {}
    deleted: set[int] = set()
    last = 0
    for transaction in index.transactions():
        last = transaction.number
        live = index.live(transaction.number)
        if transaction.foreign:
            if transaction.deleted_by:
                deleted.add(transaction.number)
            continue
        if transaction.kind == "del":
            for number in transaction.deletes:
                history[transaction.number] = microsoft.delete_line(transaction.number, number).decode()
            continue
        history[transaction.number] = microsoft.add_line(transaction).decode()
        if live:
            server[transaction.number] = history[transaction.number]
            yield from _mends_of_files(backend, index, transaction.number)
        else:
            deleted.add(transaction.number)
    yield from _mends_of_deleted(backend, index, deleted)
    history |= _lines_of_others(backend, index, microsoft.HISTORY)
    yield from filling(backend, microsoft.HISTORY, history.values(), "history")
    server |= _lines_of_others(backend, index, microsoft.SERVER)
    yield from filling(backend, microsoft.SERVER, server.values(), "server")
    if microsoft.lastid(backend) < last:
        yield Mend(microsoft.LASTID, f"it says {digits(last)} now", partial(microsoft.put_lastid, backend, last))


def filling(backend: Backend, path: str, wanted: Iterable[str], check: str) -> Iterator[Mend]:
    """The step after which a file has these lines; `check` says what it is: `history`, `server`, `list`, `refs`."""
    data = microsoft.whole(backend, path)
    after, completed, added = filled(data, list(wanted), check)
    if after != data:
        words = [f"{completed} torn lines are completed"] * bool(completed) + [f"{added} lines are added"] * bool(added)
        write = partial(backend.write, path, after)
        yield Mend(path, " and ".join(words) or "its last line is ended", write, completed + added)


def filled(data: bytes, wanted: list[str], check: str) -> tuple[bytes, int, int]:
    """A text file with the wanted lines in it, and how many of them were completed and added.

    Lines that have numbers stand in their order, and a number stands once, whatever its line says.
    """
    text = text_of(data)
    lines, completed = _completed(text, wanted, check)
    words = [text.read(line) for line in lines]
    by_number = check in _NUMBERED
    there = {_key(line, check) for line in words}
    missing = [line for line in dict.fromkeys(wanted) if _key(line, check) not in there]
    numbers = [microsoft.leading_number(line) for line in words]
    for line in missing:
        number = microsoft.leading_number(line)
        later = (place for place, other in enumerate(numbers) if by_number and other > number)
        place = next(later, len(lines))
        lines.insert(place, text.bytes_of(line))
        numbers.insert(place, number)
    for place, raw in enumerate(lines):
        is_last = place == len(lines) - 1
        if not is_last or (check in _ENDED and whole_line(text.read(raw), check)):
            lines[place] = _with_end(text, raw)
    return text.mark + b"".join(lines), completed, len(missing)


def _key(line: str, check: str) -> object:
    return microsoft.leading_number(line) if check in _NUMBERED else line


def _completed(text: Text, wanted: list[str], check: str) -> tuple[list[bytes], int]:
    """The lines of a file, with those that are torn, and of which a wanted line is the continuation, completed."""
    lines = list(text.lines)
    words = [text.read(line) for line in lines]
    by_number = {microsoft.leading_number(line): line for line in wanted} if check in _NUMBERED else {}
    count = 0
    for place, line in enumerate(words):
        tail = place == len(words) - 1 and not text.ended
        candidates = [by_number.get(microsoft.leading_number(line), "")]
        candidates += [one for one in wanted if one not in words] if tail else []
        whole = next((one for one in candidates if line and one != line and one.startswith(line)), None)
        if whole is not None and not whole_line(line, check):
            end = text.bytes_of("\r\n") if _ends(text, lines[place]) else b""
            body = lines[place].removesuffix(text.bytes_of("\n")).removesuffix(text.bytes_of("\r"))
            lines[place] = body + text.bytes_of(whole[len(line) :]) + end
            count += 1
    return lines, count


def _ends(text: Text, line: bytes) -> bool:
    return line.endswith(text.bytes_of("\n"))


def _with_end(text: Text, line: bytes) -> bytes:
    if _ends(text, line):
        return line
    return line + text.bytes_of("\n" if line.endswith(text.bytes_of("\r")) else "\r\n")


def _mends_of_files(backend: Backend, index: "Index", number: int) -> Iterator[Mend]:
    lines: list[str] = []
    refs: Mapping[str, list[str]] = defaultdict(list)
    for entry in index.entries(number):
        if entry.status.holds:
            lines.append(microsoft.list_line(entry).decode())
            refs[entry.home.rsplit("/", 1)[0]].append(microsoft.ref_line(number, entry).decode())
    yield from filling(backend, microsoft.file_list(number), lines, "list")
    for folder, wanted in refs.items():
        yield from filling(backend, f"{folder}/{microsoft.REFS}", wanted, "refs")


def _mends_of_deleted(backend: Backend, index: "Index", deleted: set[int]) -> Iterator[Mend]:
    if not deleted:
        return
    if count := _named(backend, microsoft.SERVER, deleted):
        strike = partial(microsoft.strike_server_lines, backend, deleted)
        yield Mend(microsoft.SERVER, f"{count} lines of deleted transactions go", lambda: _do(strike), count)
    for folder in sorted({home.rsplit("/", 1)[0] for home in index.homes_of(sorted(deleted))}):
        path = f"{folder}/{microsoft.REFS}"
        if count := _named(backend, path, deleted):
            strike = partial(microsoft.strike_refs, backend, folder, deleted)
            yield Mend(path, f"{count} lines of deleted transactions go", partial(_do, strike), count)


def _do(action: Callable[[], object]) -> None:
    action()


def _named(backend: Backend, path: str, numbers: set[int]) -> int:
    text = text_of(microsoft.whole(backend, path))
    return sum(microsoft.leading_number(text.read(line)) in numbers for line in text.lines)


def _lines_of_others(backend: Backend, index: "Index", path: str) -> dict[int, str]:
    """Whole lines of other tools' adds that the other of the two files has, and this one should have."""
    source = microsoft.SERVER if path == microsoft.HISTORY else microsoft.HISTORY
    text = text_of(microsoft.whole(backend, source))
    found: dict[int, str] = {}
    for line in text.lines:
        words = text.read(line)
        number = microsoft.leading_number(words)
        if number and whole_line(words, "server") and (path == microsoft.HISTORY or _is_live(backend, index, number)):
            found[number] = words
    ours = {one.number for one in index.transactions() if not one.foreign}
    return {number: line for number, line in found.items() if number not in ours}


def _is_live(backend: Backend, index: "Index", number: int) -> bool:
    """Whether a transaction is live and its list stands: one that was retired without a line is not put back."""
    return index.live(number) and backend.stat(microsoft.file_list(number)) is not None
