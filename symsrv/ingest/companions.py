"""Companions of the .NET runtime: debuggers ask for its DAC, DBI and SOS by the id of the runtime that they serve.

What belongs together is what lies in one folder. A companion keeps its own identity, which names its home; the further
ones only let it be found. Names and ids are those of Microsoft.SymbolStore (PEFileKeyGenerator, ELFFileKeyGenerator,
MachOFileKeyGenerator); a debug build's `.dbg` and `.chk` names count only for files that are called so.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from symsrv.formats.loading.pe_version import Version
from symsrv.model.identity import Identity
from symsrv.model.ids import BUILD, CORECLR_BUILD, CORECLR_UUID, PE, UUID, SymbolId
from symsrv.model.names import fold

_KINDS = {PE: PE, BUILD: CORECLR_BUILD, UUID: CORECLR_UUID}
_MACHINES = {"x86": "x86", "x86_64": "amd64", "arm": "arm", "arm64": "arm64"}
_LONG = re.compile(r"([a-z]+)_(?:x86|amd64|arm64|arm)_(x86|amd64|arm64|arm)_([0-9.]+?)(?:\.dbg|\.chk)?\.dll")


@dataclass(frozen=True, slots=True)
class _Kin:
    """Who belongs to a runtime: by their names, and by long names `<stem>_<host>_<target>_<version>.dll`."""

    plain: frozenset[str]
    long: frozenset[str] = frozenset()


_RUNTIMES: Mapping[str, _Kin] = {
    "coreclr.dll": _Kin(frozenset({"mscordaccore.dll", "mscordbi.dll"}), frozenset({"mscordaccore"})),
    "clr.dll": _Kin(frozenset({"mscordacwks.dll", "mscordbi.dll"}), frozenset({"mscordacwks", "sos"})),
    "libcoreclr.so": _Kin(
        frozenset(
            {"libmscordaccore.so", "libmscordbi.so", "mscordaccore.dll", "mscordbi.dll", "libsos.so", "sos.netcore.dll"}
        )
    ),
    "libcoreclr.dylib": _Kin(
        frozenset({"libmscordaccore.dylib", "libmscordbi.dylib", "libsos.dylib", "sos.netcore.dll"})
    ),
}


@dataclass(frozen=True, slots=True)
class Placed:
    """One file of a publish: where it came from, and what it is."""

    where: str
    identities: tuple[Identity, ...]

    @property
    def name(self) -> str:
        """Its name, as names are compared."""
        return fold(self.identities[0].name)

    @property
    def folder(self) -> str:
        """The folder or archive that it lay in."""
        return re.split(r"[/\\!][^/\\!]*$", self.where, maxsplit=1)[0]


def companions(files: Sequence[Placed], version_of: Callable[[int], Version | None]) -> dict[int, tuple[Identity, ...]]:
    """The further identities of files, by their positions; `version_of` reads that of the PE image at a position."""
    runtimes: dict[str, list[int]] = {}
    for position, file in enumerate(files):
        if file.name in _RUNTIMES:
            runtimes.setdefault(file.folder, []).append(position)
    if not runtimes:
        return {}
    found: dict[int, tuple[Identity, ...]] = {}
    versions: dict[int, Version | None] = {}
    for position, file in enumerate(files):
        further: list[Identity] = []
        for runtime in runtimes.get(file.folder, ()):
            if runtime not in versions:
                versions[runtime] = version_of(runtime)
            further += _further(file.identities[0], files[runtime], versions[runtime])
        if further:
            found[position] = tuple(dict.fromkeys(further))
    return found


def _further(own: Identity, runtime: Placed, version: Version | None) -> Iterator[Identity]:
    for serves in runtime.identities:
        kind = _KINDS.get(serves.ids[0].kind)
        if kind is None:
            continue
        for name in _names(own, serves, _RUNTIMES[runtime.name], version):
            yield Identity(
                format=own.format,
                kind=own.kind,
                name=name,
                ids=(SymbolId(kind, serves.ids[0].value),),
                arch=own.arch,
                notes=(f"serves {serves.name}",),
            )


def _names(own: Identity, serves: Identity, kin: _Kin, version: Version | None) -> Iterator[str]:
    """Under which names a file is asked for by the id of a runtime."""
    name = fold(own.name)
    stem = name.removesuffix(".dll")
    host, target = _MACHINES.get(own.arch or ""), _MACHINES.get(serves.arch or "")
    if name in kin.plain:
        yield own.name
    if stem in kin.long and version is not None and host and target:
        yield f"{stem}_{host}_{target}_{_printed(version)}.dll"
    match = _LONG.fullmatch(name)
    if match and match[1] in kin.long and match[2] == target and (not version or match[3] == _printed(version)):
        yield own.name


def _printed(version: Version) -> str:
    major, minor, build, revision = version
    return f"{major}.{minor}.{build}.{revision:02d}"
