"""Tail: an upstream is followed by its transactions, and each file that it publishes becomes a wish.

What is wished goes the way of every want: queue, lists, budgets, statistics and the puller are the ones that exist. A
want that only tails wished is asked of their upstreams alone (`model.wants.asked_only_of`). How far an upstream was
read is a mark in the state, moved after the wishes are filed: a pass that is killed is gone on with, and files at most
one batch a second time, which coalesces.

No number is passed over for good because its list was not there yet: the empty ones are asked again in the next pass,
and those at the end until something follows them. A delete leaves such an empty number behind on hosts that tell no
more; then, and only if deletes are to be followed, the lists that were read are looked at again.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from symsrv.mirror.base import FetchError, Upstream
from symsrv.mirror.filters import Filter
from symsrv.mirror.published import LIST_BYTES, NotFollowed, Publication, Published, Spent
from symsrv.mirror.settings import TailOptions, UpstreamOptions
from symsrv.mirror.withdrawing import withdraw
from symsrv.model.ask import Ask
from symsrv.model.errors import NewerFormat
from symsrv.model.names import fold
from symsrv.model.wants import TAIL, Wish, want_key, wanted
from symsrv.model.wishes import is_wish

if TYPE_CHECKING:
    from symsrv.ledger.state import State
    from symsrv.store import SymbolStore

logger = logging.getLogger(__name__)

READS = 10_000
"""How many requests a pass makes at most; the next one goes on."""

_EMPTY_IN_A_ROW = 256
_HOLES = 64
_BATCH = 500
_SAVED_EVERY = 50


@dataclass(slots=True)
class Pass:
    """What one pass did. `number` is how far the upstream was read, `last` how far it says that it goes.

    `skipped` counts by the reason word: files, and transactions where they are passed over whole. `present` counts
    those that the store has, `deleted` names our transactions that went. `complete`: nothing is left for the next pass.
    """

    upstream: str
    last: int = 0
    number: int = 0
    transactions: int = 0
    wished: int = 0
    present: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    deleted: list[int] = field(default_factory=list)
    complete: bool = False
    reason: str | None = None

    def to_record(self) -> dict[str, Any]:
        """The line of `upstream tail --json`; fields may be added, never renamed."""
        return {**asdict(self), "skipped": dict(sorted(self.skipped.items()))}


@dataclass(slots=True)
class _Mark:
    """How far an upstream was read: to which number, to which line of the next, which numbers had nothing.

    `checked`: those from this one on were looked at again since the last delete; -1 if none was yet, 0 if there is
    nothing to look for.
    """

    number: int = 0
    line: int = 0
    holes: list[int] = field(default_factory=list)
    checked: int = 0


def reading(options: UpstreamOptions) -> UpstreamOptions:
    """An upstream's options for reading what it publishes: nothing of the size of a symbol file is taken in."""
    limit = LIST_BYTES if options.size_limit is None else min(LIST_BYTES, options.size_limit)
    return options.model_copy(update={"size_limit": limit})


def mark_name(upstream: str) -> str:
    """Under which name the state keeps how far an upstream was read."""
    return f"{TAIL}{upstream}"


def restart(state: "State", upstream: str) -> None:
    """Has an upstream read from its beginning again; what the store has is not wished again."""
    state.marks.drop(mark_name(upstream))


def is_due(state: "State", options: UpstreamOptions, now: float | None = None) -> bool:
    """Whether an upstream's next pass is due, and ours to make: of several processes one is told so."""
    if options.tail is None or not options.enabled:
        return False
    seconds = int(time.time() if now is None else now)
    name = f"{TAIL}{options.name}:due"
    due = state.marks.get(name)
    if isinstance(due, int) and seconds < due <= seconds + options.tail.every:
        return False
    return state.marks.move(name, seconds + max(1, int(options.tail.every)), from_value=due)


def follow(
    upstream: Upstream,
    state: "State",
    *,
    store: "SymbolStore",
    asked: Filter | None = None,
    reads: int = READS,
    stop: Callable[[], bool] = lambda: False,
) -> Pass:
    """Reads what an upstream published since the last pass, and files a wish for each file that the store has not.

    `asked` says what the upstream is asked for at all, by the lists; without it only its own patterns count. Ends early
    when as many requests were made as a pass may make, when `stop` says so, or when the upstream cannot be read: then
    `reason` has the word. Raises LedgerError and StoreError of our own state and store.
    """
    done = Pass(upstream.options.name)
    mark = _loaded(state, done.upstream)
    interesting = range(mark.number + 1, mark.number + reads + 1)
    publication = Publication(upstream, reads=reads, numbers=lambda one: one in interesting or one in mark.holes)
    asked = asked or Filter(upstream.options)
    one = _Follower(upstream.options, state, store, mark, publication, asked=asked, done=done, stop=stop)
    try:
        one.run()
        one.save()
    except Spent:
        one.save()
    except (FetchError, NewerFormat) as error:
        done.reason = error.reason
        logger.warning("could not follow an upstream", extra={"upstream": done.upstream, "reason": error.reason})
    finally:
        publication.close()
    return done


def _loaded(state: "State", upstream: str) -> _Mark:
    try:
        return _Mark(**json.loads(state.marks.text(mark_name(upstream), "{}")))
    except (ValueError, TypeError):
        return _Mark()


class _Follower:
    def __init__(
        self,
        options: UpstreamOptions,
        state: "State",
        store: "SymbolStore",
        mark: _Mark,
        publication: Publication,
        *,
        asked: Filter,
        done: Pass,
        stop: Callable[[], bool],
    ) -> None:
        self._options = options
        self._tail = options.tail or TailOptions()
        self._state = state
        self._store = store
        self._from = publication
        self._asked = asked
        self._done = done
        self._stop = stop
        self._mark = mark
        self._top = 0

    def run(self) -> None:
        """One pass; the mark is right wherever it ends."""
        self._done.number = self._mark.number
        self._done.last = last = self._from.last()
        if last < self._mark.number and not self._from.documents:
            self._done.reason = NotFollowed.BACK
            logger.warning("an upstream has fewer transactions than it had", extra={"upstream": self._options.name})
            return
        before = list(self._mark.holes)
        for number in before:
            found = self._from.transaction(number)
            if found.kind != "none" and self._take(found):
                self._mark.holes.remove(number)
        ended = self._read_on(last)
        self._forget_holes(before)
        deleted = self._look_again() if self._tail.deletions == "delete" else True
        self._done.complete = ended and deleted and self._mark.number >= last

    def _read_on(self, last: int) -> bool:
        """Takes one number after the other; whether it came to the end, and was not stopped."""
        empty = 0
        while empty < _EMPTY_IN_A_ROW:
            number, beyond = self._mark.number + 1, self._mark.number >= last
            if beyond and not self._from.documents:
                return True
            if self._stop():
                return False
            found = self._from.transaction(number)
            if found.fault:
                self._done.skipped[found.fault] += 1
                self._top = number
            elif found.kind == "none" and beyond:
                return True
            elif found.kind == "none":
                empty += 1
                self._mark.checked = -1
                self._mark.holes = [*self._mark.holes, number][-_HOLES:]
            elif not self._take(found, self._mark.line, resumable=True):
                return False
            else:
                empty, self._top = 0, number
            self._mark.number, self._mark.line = number, 0
            if not empty or not empty % _SAVED_EVERY:
                self.save()
        return True

    def _take(self, found: Published, start: int = 0, *, resumable: bool = False) -> bool:
        """Files the wishes of an add, or follows a delete; False if it was stopped on the way."""
        self._done.transactions += 1
        if found.kind == "del":
            if self._tail.deletions == "delete":
                for number in found.deletes:
                    self._delete(number)
            return True
        if reason := self._unwanted(found):
            self._done.skipped[reason] += 1
            return True
        files = found.files(start)
        while batch := list(islice(files, _BATCH)):
            wishes, keys = self._looked_through(found, batch)
            self._mark.line += len(batch) if resumable else 0
            self._state.transaction(partial(self._write, found.number, wishes, keys=keys, mark=resumable))
            self._done.wished += len(wishes)
            if self._stop():
                return False
        return True

    def _write(self, number: int, wishes: list[Wish], *, keys: list[str], mark: bool) -> None:
        """What is found in one batch, in one transaction that may be made again."""
        self._state.wants.file(wishes)
        if self._tail.deletions == "delete":
            self._state.followed.put(self._options.name, number, keys=keys)
        if mark:
            self.save()

    def _looked_through(self, found: Published, asks: Iterable[Ask | None]) -> tuple[list[Wish], list[str]]:
        """The wishes for those that may be had and are not here, and the keys of all that may be had."""
        wishes, keys = [], []
        for ask in asks:
            if ask is None or not is_wish(ask):
                self._done.skipped[NotFollowed.BAD_KEY] += 1
            elif reason := self._refused(ask):
                self._done.skipped[reason] += 1
            else:
                plain = wanted(ask)
                keys.append(want_key(plain))
                if self._store.find(plain):
                    self._done.present += 1
                else:
                    wishes.append(Wish(plain, f"{TAIL}{self._options.name}", version=found.version or None))
        return wishes, keys

    def _unwanted(self, found: Published) -> str | None:
        """Why no file of a transaction is taken: where its product is not told, no product is meant."""
        if self._tail.products and not _fits(found.product, self._tail.products):
            return NotFollowed.PRODUCT
        if self._tail.versions and not _fits(found.version, self._tail.versions):
            return NotFollowed.VERSION
        return None

    def _refused(self, ask: Ask) -> str | None:
        if self._tail.names and not _fits(ask.name, self._tail.names):
            return NotFollowed.NAME
        refused = self._asked.refuse(ask)
        return None if refused is None else refused[0]

    def _look_again(self) -> bool:
        """Finds what was deleted where nothing tells of it: lists that are empty now. Whether none is left to look at.

        A delete leaves an empty number behind; without a new one there is nothing to find.
        """
        if not self._mark.checked or self._from.tells_deletes:
            self._mark.checked = 0
            return True
        followed = self._state.followed.numbers(self._options.name)
        above = self._mark.checked if self._mark.checked > 0 else self._mark.number + 1
        for number in sorted((one for one in followed if one < above), reverse=True):
            if self._stop():
                return False
            if self._from.emptied(number):
                self._delete(number)
            self._mark.checked = number
            self.save()
        self._mark.checked = 0
        return True

    def _delete(self, number: int) -> None:
        """Deletes here what came from a transaction that was deleted there and from none that is left there."""
        name = self._options.name
        keys = self._state.followed.only_in(name, number)
        self._done.deleted += withdraw(self._store, self._options, keys, number=number)
        self._state.followed.drop(name, number)

    def _forget_holes(self, before: Iterable[int]) -> None:
        """Holes are asked again once, and for as long as nothing follows them."""
        old = set(before)
        self._mark.holes = [one for one in self._mark.holes if one > self._top or one not in old]

    def save(self) -> None:
        """Notes how far it is."""
        self._done.number = self._mark.number
        self._state.marks.put(mark_name(self._options.name), json.dumps(asdict(self._mark)))


def _fits(text: str | None, globs: Iterable[str]) -> bool:
    return text is not None and any(fnmatchcase(fold(text), fold(glob)) for glob in globs)
