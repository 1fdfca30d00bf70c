"""ReadyToRun maps of .NET (`*.ni.r2rmap`): text that begins with rows of a header, known by signature and version.

Rule: dotnet/runtime, r2r-perfmap-format.md. A row is an address, a length and a text; rows of the header have a token
instead of the address (FFFFFFFF: signature, FFFFFFFE: version, FFFFFFFC: machine) and the length 0. crossgen2 writes
them in this order, and promises to keep it.
"""

import re

from symsrv.formats.base import Reader
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import DEBUG_INFO, Identity
from symsrv.model.ids import perfmap_id

HEAD_LIMIT_BYTES = 1024

_FIRST = re.compile(rb"FFFFFFF[EF] 00? [0-9A-F]{1,32}[\r\n]", re.IGNORECASE)
_ROW = re.compile(rb"(FFFFFFF[0-9A-F]) 00? ([0-9A-F]{1,64})\r?", re.IGNORECASE)
_SIGNATURE, _VERSION, _MACHINE = b"FFFFFFFF", b"FFFFFFFE", b"FFFFFFFC"
_SIGNATURE_DIGITS = 32
_VERSION_LIMIT_DIGITS = 4
_MACHINES = {
    b"1": "arm",
    b"2": "arm64",
    b"3": "x86_64",
    b"4": "x86",
    b"5": "riscv64",
    b"6": "loongarch64",
    b"7": "wasm32",
}


class PerfMap:
    """Maps of precompiled code, which profilers ask for by the id in the image's debug directory."""

    name = "perfmap"

    def sniff(self, head: bytes) -> bool:
        """A whole first row with the token of the signature or of the version, and the length 0."""
        return _FIRST.match(head) is not None

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """The one map. The signature's digits are in the order of the bytes, which .NET's tools ask for."""
        header, ended = _header(data.up_to(0, HEAD_LIMIT_BYTES))
        if _SIGNATURE not in header or _VERSION not in header:
            reason = "malformed" if ended else "truncated"
            raise NotIdentified(reason, "a ReadyToRun map without a signature or a version in its header")
        signature, version = header[_SIGNATURE], header[_VERSION]
        if len(signature) != _SIGNATURE_DIGITS or not version.isdigit() or len(version) > _VERSION_LIMIT_DIGITS:
            raise NotIdentified("malformed", "a ReadyToRun map whose signature or version is none")
        if not signature.strip(b"0"):
            raise NotIdentified("no-id", "a ReadyToRun map with a signature of zeros")
        identity = Identity(
            format=self.name,
            kind=DEBUG_INFO,
            name=name,
            ids=(perfmap_id(int(version), signature.decode()),),
            arch=_MACHINES.get(header.get(_MACHINE, b"")),
            symbol_kind="pub",
        )
        return (identity,)


def _header(head: bytes) -> tuple[dict[bytes, bytes], bool]:
    """The rows of the header by their tokens, and whether other rows follow; a row without an end does not count."""
    found: dict[bytes, bytes] = {}
    for line in head.split(b"\n")[:-1]:
        row = _ROW.fullmatch(line)
        if row is None:
            return found, True
        found.setdefault(row[1].upper(), row[2])
    return found, False
