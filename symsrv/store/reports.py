"""Reports: a dump that waits for the files it lacks, filed once however often somebody looks at it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symsrv.model.ask import Wants
from symsrv.model.wants import Wish, want_key
from symsrv.model.wishes import module_wishes
from symsrv.store.needs import Need, State

if TYPE_CHECKING:
    from symsrv.ledger.state import State as Ledger

DATA = ("crash_id", "uuid", "event_id", "issue", "product", "version", "prod", "ver")
"""What is kept of the fields that come with a dump: what names the crash elsewhere. The rest may be a secret."""

MARK = "report:"
DATA_LIMIT = 256  # characters of each
_ENDS_BYTES = 64 << 10


def fingerprint(path: Path) -> str:
    """What tells one dump from another of the same name: its size, its beginning and its end; '' if it has gone."""
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, 2)
            digest = hashlib.sha256(b"%d\n" % size)
            for start in (0, max(0, size - _ENDS_BYTES)):
                stream.seek(start)
                digest.update(stream.read(_ENDS_BYTES))
    except OSError:
        return ""
    return digest.hexdigest()[:32]


def lacking(needs: Iterable[Need], *, who: str) -> list[Wish]:
    """Wishes for what is not here of some modules: the program, the debug file, or both."""
    found: dict[str, Wish] = {}
    for need in needs:
        states = {Wants.CODE: need.code_state, Wants.DEBUG: need.debug_state}
        for wish in module_wishes(need.module, who=who):
            if states[Wants(wish.ask.wants)] not in (State.HAVE, State.NO_ID):
                found.setdefault(want_key(wish.ask), wish)
    return list(found.values())


def file_report(
    state: "Ledger", name: str, wishes: Iterable[Wish], *, mark: str, data: dict[str, Any] | None = None
) -> int | None:
    """Files what a dump lacks as wants, and the dump as a report that waits for them; returns the report's number.

    `mark` is the dump's fingerprint. One that waits already for all of this, or for more, is the same report, and
    nothing is counted again. None if nothing is lacking: then nobody waits. Raises LedgerError.
    """
    wishes = list(wishes)
    if not wishes:
        return None
    keys = {want_key(wish.ask) for wish in wishes}

    def work() -> int:
        known = state.marks.number(f"{MARK}{mark}")
        waits_for = {want_key(want.ask) for want in state.reports.wants(known)} if known else set()
        if keys <= waits_for:
            return known
        number = state.reports.file(name, wishes, origin=f"dump:{mark}", data=data or {})
        state.marks.put(f"{MARK}{mark}", number)
        return number

    return state.transaction(work)


def kept_data(fields: dict[str, str]) -> dict[str, str]:
    """The fields of a form, or of a query, that a report keeps."""
    return {name: fields[name][:DATA_LIMIT] for name in DATA if fields.get(name)}
