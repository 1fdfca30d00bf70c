"""What marks a place as a store: its format and its id in `store.json`, and `index2.txt` if it has two tiers."""

import json
import uuid
from contextlib import suppress
from hashlib import sha256 as sha256_of

from symsrv.backends.base import Backend
from symsrv.model.errors import AlreadyThere, DamagedDocument, Missing, NewerFormat
from symsrv.store import places


def mark(backend: Backend, *, two_tier: bool = False) -> None:
    """Makes a place a store if it is none yet; one that is new to symsrv keeps the id that it went by.

    `two_tier` counts only where there is nothing at all: no mark moves files that lie there already.
    """
    if backend.stat(places.FORMAT_FILE) is not None:
        return
    bare = next(iter(backend.walk()), None) is None
    if two_tier and bare:
        backend.write(places.TWO_TIER, b"")
    write_format(backend, uuid.uuid4() if bare else id_by_place(backend))


def write_format(backend: Backend, store_id: uuid.UUID) -> None:
    """Writes `store.json` unless it is there."""
    with suppress(AlreadyThere):
        record = {"format": places.FORMAT, "id": str(store_id)}
        backend.create(places.FORMAT_FILE, json.dumps(record).encode())


def read_id(backend: Backend) -> str:
    """The store's own id; a folder that is no store of ours yet goes by its place."""
    try:
        record = json.loads(backend.read(places.FORMAT_FILE))
        if record["format"] > places.FORMAT:
            raise NewerFormat(places.FORMAT_FILE, record["format"], places.FORMAT)
        return str(uuid.UUID(record["id"]))
    except Missing:
        return str(id_by_place(backend))
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise DamagedDocument(places.FORMAT_FILE, str(exc)) from exc


def id_by_place(backend: Backend) -> uuid.UUID:
    """An id made of where the place is."""
    return uuid.UUID(sha256_of(backend.url.encode()).hexdigest()[:32])
