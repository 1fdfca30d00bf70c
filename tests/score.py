"""Scores symsrv against the corpus of real files: ids, keys, module lists, members of archives, reasons.

    python tests/score.py [FOLDER]

Every expected value of the manifest is one point; a line is printed for each that is missed and for each kind of file.
Ends with 1 unless the score is 1.000. `SETTLED` holds the values in which the manifest is not followed, and why.
"""

import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from symsrv.formats import identify_path
from symsrv.formats.modules import modules_of_path
from symsrv.layouts import keys, parse_any
from symsrv.model.errors import ArchiveError, BadName, NotIdentified
from symsrv.model.identity import Identity
from symsrv.model.names import base_name
from symsrv.packing import HEAD_BYTES, kind_of, members
from tests.made import corpus

MENDED_NAMES = "the names listed are what cabextract made of them; the file's own lead out of the archive: bad-name"
LEFT_BEHIND = "the empty file listed is what cabextract leaves when it gives up; the block is damaged, and we say so"
CUT = "the MODULE line is cut: without a name, the id and the key may be cut too"
NO_STAMP = "a stamp of zero is no id; symbolicator, the peer in the manifest, has the UUID"

SETTLED = {
    ("minidump/macos.dmp", "code_id"): NO_STAMP,
    ("broken/sym-cut.sym", "debug_id"): CUT,
    ("broken/sym-cut.sym", "key"): CUT,
    ("broken/dirwalk-vulns.cab", "member"): MENDED_NAMES,
    ("broken/cve-2010-2800-mszip-infinite-loop.cab", "member"): LEFT_BEHIND,
}
"""Expected values that are not followed, by (path, field), with the evidence."""

PRINTED = ("code_id", "debug_id", "build_id", "debug_file")


class Point(NamedTuple):
    """One expected value."""

    path: str
    kind: str
    field: str
    expected: object
    found: object

    @property
    def won(self) -> bool:
        return self.expected == self.found or (self.path, self.field) in SETTLED


def score(entry: corpus.Entry) -> Iterator[Point]:
    """The points of one corpus file."""
    identities, reason = look(entry)

    def point(field: str, expected: object, found: object) -> Point:
        return Point(entry.where, entry.kind, field, expected, found)

    if entry.kind == "mdmp":
        yield point("reason", "not-symbols", reason)
        yield from module_points(entry)
        return
    if "members" in entry.expected:
        yield from member_points(entry)
    if not has_ids(entry.expected):
        if not entry.keys:
            yield point("reason", True, bool(reason))
        identities = identities or inner(entry)
    for uuid in entry.expected.get("uuids", ()):
        match = [one for one in identities if (one.code_id or "").lower() == uuid["uuid"]]
        yield point("uuid", (uuid["uuid"], uuid["debug_id"]), (uuid["uuid"], match[0].debug_id) if match else None)
    if "uuids" not in entry.expected:
        for field in PRINTED:
            if entry.expected.get(field):
                found = getattr(identities[0], field) if identities else None
                yield point(field, entry.expected[field].lower(), (found or "").lower())
    own = {key.lower() for one in identities for key in keys(one)}
    known = {symbol_id for one in identities for symbol_id in (*one.ids, *one.also)}
    for key in entry.keys:
        if key["key"] and key["role"] != "store path in the tree":
            yield point("key", key["key"], key["key"] if is_found(key, own, known) else sorted(own))


def is_found(key: dict[str, Any], own: set[str], known: set[Any]) -> bool:
    """Whether a key is one of the file's own, or, for its partner's and other dialects', means an id that it has."""
    if key["key"].lower() in own:
        return True
    partners = key["role"].startswith(("symbol", "identity when")) or "build-id" in key["role"]
    ask = parse_any(key["key"]) if partners or key["role"] == "debuginfod" else None
    return ask is not None and bool(known & set(ask.ids))


def look(entry: corpus.Entry) -> tuple[tuple[Identity, ...], str | None]:
    """What a file is identified as, or the reason why not."""
    try:
        return identify_path(entry.path, entry.name), None
    except (NotIdentified, BadName) as error:
        return (), error.reason


def has_ids(expected: dict[str, Any]) -> bool:
    return bool(expected.get("uuids")) or any(expected.get(field) for field in PRINTED)


def module_points(entry: corpus.Entry) -> Iterator[Point]:
    wanted = entry.expected.get("modules")
    if not isinstance(wanted, list):
        try:
            found: object = len(list(modules_of_path(entry.path)))
        except NotIdentified:
            found = "a reason"
        yield Point(entry.where, entry.kind, "modules", "a reason", found)
        return
    found_modules = list(modules_of_path(entry.path))
    yield Point(entry.where, entry.kind, "modules", len(wanted), len(found_modules))
    for expected, module in zip(wanted, found_modules, strict=False):
        pairs: list[tuple[str, object, object]] = [
            ("path", expected["code_file"], module.path),
            ("base", int(expected["base"], 0), module.base),
            ("size", expected["size"], module.size),
        ]
        for field in ("code_id", "debug_id", "debug_file", "build_id"):
            if expected.get(field):
                pairs.append((field, expected[field].lower(), (getattr(module, field) or "").lower()))
        yield from (Point(entry.where, entry.kind, *one) for one in pairs)


def member_points(entry: corpus.Entry) -> Iterator[Point]:
    wanted = [
        (one.get("path") or one["name"].replace("\\", "/"), one["size"], one["sha256"])
        for one in entry.expected["members"]
    ]
    found, reason = unpacked(entry.path)
    for one in wanted:
        yield Point(entry.where, entry.kind, "member", one, one if one in found else found)
    if not wanted:
        yield Point(entry.where, entry.kind, "reason", True, bool(reason))


def unpacked(path: Path) -> tuple[list[tuple[str, int, str]], str | None]:
    """Name, size and sha256 of every member, and the reason word of the first thing that went wrong."""
    found: list[tuple[str, int, str]] = []
    reason = None
    with path.open("rb") as file:
        if kind_of(file.read(HEAD_BYTES)) is None:
            return found, "unknown-format"
    try:
        for member in members(path):
            if member.problem is not None:
                reason = reason or member.problem.reason
                continue
            digest, size = hashlib.sha256(), 0
            for piece in member.pieces():
                digest.update(piece)
                size += len(piece)
            found.append((member.name, size, digest.hexdigest()))
    except ArchiveError as error:
        reason = reason or error.reason
    return found, reason


def inner(entry: corpus.Entry) -> tuple[Identity, ...]:
    """What the members of a cabinet that stands in a symbol store are."""
    if entry.kind != "cab":
        return ()
    from tempfile import TemporaryDirectory

    identities: list[Identity] = []
    with TemporaryDirectory() as folder, suppress(ArchiveError):
        for number, member in enumerate(members(entry.path)):
            copy = Path(folder, str(number))
            copy.write_bytes(b"".join(member.pieces()))
            with suppress(NotIdentified):
                identities += identify_path(copy, base_name(member.name))
    return tuple(identities)


def main() -> int:
    if len(sys.argv) > 1:
        corpus.FOLDER = Path(sys.argv[1])
    won: dict[str, list[bool]] = defaultdict(list)
    for entry in corpus.all_entries():
        for point in score(entry):
            won[entry.kind].append(point.won)
            if not point.won:
                print(f"{point.path}: {point.field}: expected {point.expected}, found {point.found}")
    if not won:
        print(f"no corpus at {corpus.FOLDER}", file=sys.stderr)
        return 1
    for kind, points in won.items():
        print(f"{kind:6} {sum(points):5} of {len(points):5}")
    points = [one for kind in won.values() for one in kind]
    print(f"score {sum(points) / len(points):.3f} of {len(points)} values; {len(SETTLED)} are SETTLED otherwise")
    return 0 if all(points) else 1


if __name__ == "__main__":
    sys.exit(main())
