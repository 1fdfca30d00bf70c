"""Filing wishes: what is wanted already counts them, the rest becomes new wants; one transaction for all."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from symsrv.ledger.state.base import inserting, maybe_micros, maybe_stored, words_of
from symsrv.ledger.state.tables import want_ids, wants
from symsrv.ledger.texts import chunks, original_text, stored_text
from symsrv.model.ids import SymbolId
from symsrv.model.wants import TAIL, WantState, Wish, ids_from_record, ids_to_record, want_key, wanted

ASKERS_LIMIT = 16
"""How many askers of a want are remembered, the newest."""
IDS_LIMIT = 32
"""How many readings of its id; each dialect adds few."""

_CHANGED = ("ids", "name", "words", "state", "urgent", "count", "first", "last", "who", "path", "version")
_REOPENED = ("rounds", "reason", "until", "worker", "answered")
_UPDATE = (
    update(wants)
    .where(wants.c.id == bindparam("old_id"))
    .values({name: bindparam(name) for name in (*_CHANGED, *_REOPENED)})
)


def file_wishes(connection: Connection, wishes: Iterable[Wish], *, now: int) -> list[int]:
    """Files wishes in the caller's transaction; returns the number of each one's want."""
    wishes = [replace(wish, ask=wanted(wish.ask)) for wish in wishes]
    keys = [stored_text(want_key(wish.ask)) for wish in wishes]
    by_key: dict[str, list[Wish]] = {}
    for key, wish in zip(keys, wishes, strict=True):
        by_key.setdefault(key, []).append(wish)
    numbers: dict[str, int] = {}
    for batch in chunks(sorted(by_key)):  # in one order for all, so that two transactions rarely block each other
        numbers |= _file(connection, {key: by_key[key] for key in batch}, now=now)
    return [numbers[key] for key in keys]


def _file(connection: Connection, by_key: dict[str, list[Wish]], *, now: int) -> dict[str, int]:
    known = _locked(connection, list(by_key))
    fresh = {key: _new_row(key, by_key[key], now=now) for key in by_key if key not in known}
    numbers = {key: row.id for key, row in known.items()}
    if fresh:
        new = inserting(connection, wants).on_conflict_do_nothing().returning(wants.c.id, wants.c.key)
        made = {row.key: row.id for row in connection.execute(new, list(fresh.values()))}
        numbers |= made
        _add_ids(connection, {made[key]: _ids(row["ids"]) for key, row in fresh.items() if key in made})
        if late := [key for key in fresh if key not in made]:
            known |= _locked(connection, late)  # somebody filed them at this moment
            numbers |= {key: known[key].id for key in late}
    changed = {key: _changed_row(row, by_key[key], now=now) for key, row in known.items()}
    if changed:
        connection.execute(_UPDATE, list(changed.values()))
        more = {row.id: _ids(changed[key]["ids"])[len(_ids(row.ids)) :] for key, row in known.items()}
        _add_ids(connection, more)
    return numbers


def _locked(connection: Connection, keys: list[str]) -> dict[str, Any]:
    query = select(wants).where(wants.c.key.in_(keys)).order_by(wants.c.key).with_for_update()
    return {row.key: row for row in connection.execute(query)}


def _new_row(key: str, wishes: list[Wish], *, now: int) -> dict[str, Any]:
    seen = [maybe_micros(wish.seen) or now for wish in wishes]
    ask = wishes[0].ask
    name = next((wish.ask.name for wish in wishes if wish.ask.name), None)
    path = next((wish.path for wish in wishes if wish.path), None)
    ids = _merged((), wishes)
    return {
        "key": key,
        "wants": ask.wants.value,
        "ids": json.dumps(ids_to_record(ids)),
        "name": maybe_stored(name),
        "words": words_of(name, *(one.value for one in ids), path),
        "state": WantState.OPEN.value,
        "urgent": int(any(wish.urgent for wish in wishes)),
        "waiting": 0,
        "count": sum(wish.count for wish in wishes),
        "first": min(seen),
        "last": max(seen),
        "who": _askers((), wishes),
        "path": maybe_stored(path),
        "version": maybe_stored(next((wish.version for wish in wishes if wish.version), None)),
        "rounds": 0,
    }


def _changed_row(old: Any, wishes: list[Wish], *, now: int) -> dict[str, Any]:
    new = _new_row(old.key, wishes, now=now)
    ids = _merged(_ids(old.ids), wishes)
    row = {name: getattr(old, name) for name in _REOPENED} | {
        "old_id": old.id,
        "ids": json.dumps(ids_to_record(ids)),
        "name": old.name or new["name"],
        "path": new["path"] or old.path,
        "version": new["version"] or old.version,
        "state": old.state,
        "urgent": old.urgent,
        "count": old.count + new["count"],
        "first": min(old.first, new["first"]),
        "last": max(old.last, new["last"]),
        "who": _askers(json.loads(old.who), wishes),
    }
    texts = (None if row[one] is None else original_text(row[one]) for one in ("name", "path"))
    row["words"] = words_of(next(texts), *(one.value for one in ids), next(texts))
    if old.state == WantState.ANSWERED and any(_is_later(wish, old.answered) for wish in wishes):
        row |= {"state": WantState.OPEN.value, "rounds": 0, "reason": None, "until": None, "answered": None}
    if row["state"] in (WantState.OPEN, WantState.CLAIMED):  # no haste breaks a rest
        row["urgent"] = old.urgent | new["urgent"]
    return row


def _is_later(wish: Wish, answered: int) -> bool:
    """Whether it was wanted after it came; an access log may be read long after."""
    return wish.seen is None or (maybe_micros(wish.seen) or 0) > answered


def _askers(known: Iterable[str], wishes: list[Wish]) -> str:
    askers = dict.fromkeys(known)
    for wish in wishes:
        if wish.who:
            askers.pop(wish.who, None)
            askers[wish.who] = None
    # That somebody else than a tail asked says of whom it is asked, and so is forgotten last.
    kept = sorted(askers, key=lambda who: not who.startswith(TAIL)) if len(askers) > ASKERS_LIMIT else askers
    left = set(list(kept)[-ASKERS_LIMIT:])
    return json.dumps([who for who in askers if who in left])


def _merged(known: Iterable[SymbolId], wishes: list[Wish]) -> tuple[SymbolId, ...]:
    ids = dict.fromkeys([*known, *(one for wish in wishes for one in wish.ask.ids)])
    return tuple(ids)[:IDS_LIMIT]


def _ids(record: str) -> tuple[SymbolId, ...]:
    return ids_from_record(json.loads(record))


def _add_ids(connection: Connection, by_want: dict[int, tuple[SymbolId, ...]]) -> None:
    rows = [
        {"value": one.value, "kind": one.kind, "want": want}
        for want, ids in by_want.items()
        for one in dict.fromkeys(ids)
    ]
    if rows:
        connection.execute(inserting(connection, want_ids).on_conflict_do_nothing(), rows)
