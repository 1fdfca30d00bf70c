"""Homes: where the bytes of a key may lie, plain or compressed, in one tier or in two."""

from collections.abc import Sequence
from dataclasses import dataclass

from symsrv.layouts import parse_any
from symsrv.layouts.two_tier import prefix
from symsrv.model.records import CAB
from symsrv.packing import CAB_BYTES
from symsrv.store import microsoft


@dataclass(frozen=True, slots=True)
class Home:
    """A path, and how the bytes there are compressed; None if they are plain."""

    path: str
    encoding: str | None = None


def places_of(key: str, *, two_tier: bool, size: int) -> Sequence[Home]:
    """Where a file of this size may lie under a key: where it is put first, and plain before compressed."""
    packed = packed_twin(key) if size <= CAB_BYTES else None
    found = []
    for path, encoding in ((key, None), (packed, CAB)):
        if path is not None:
            found += [Home(two_tiers(path), encoding)] if two_tier else []
            found.append(Home(path, encoding))
    return found


def target_of(places: Sequence[Home], *, compress: bool) -> Home:
    """The place where a new file is put: compressed if that is wished and can be."""
    wished = CAB if compress else None
    return next((one for one in places if one.encoding == wished), places[0])


def packed_twin(path: str) -> str | None:
    """Where the compressed form of a plain file lies: its last character is `_`. None where no client would ask so."""
    twin = f"{path[:-1]}_"
    return twin if is_packed(twin) else None


def is_packed(path: str) -> bool:
    """Whether a place says that what lies there is the compressed form of a file."""
    return path.endswith("_") and (ask := parse_any(path)) is not None and ask.packed


def plain_name(path: str) -> str:
    """The name of the file itself, at whose home or packed twin's the path is."""
    folder, _, file = path.rpartition("/")
    return microsoft.one_tier(folder).split("/")[0] if is_packed(path) else file


def key_of(path: str) -> str:
    """The key of what lies at a path: `<name>/<id>/<file>` in one tier, with the plain file's name."""
    return f"{microsoft.one_tier(path.rpartition('/')[0])}/{plain_name(path)}"


def two_tiers(key: str) -> str:
    """The path of a key in a store of two tiers."""
    return f"{prefix(key.split('/')[0])}/{key}"
