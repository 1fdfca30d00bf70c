"""Minidumps: what a crash left behind. They hold no symbols; `modules` lists what they had loaded."""

from symsrv.formats.base import Reader
from symsrv.model.errors import NotIdentified
from symsrv.model.identity import Identity

MAGICS = {b"MDMP": "<", b"PMDM": ">"}
"""The signature as its writer's byte order leaves it: Breakpad wrote dumps of PowerPC systems in theirs."""


class Minidump:
    """Dumps of Windows' MiniDumpWriteDump, Breakpad and Crashpad, of any system. Known, to be refused with a reason."""

    name = "minidump"

    def sniff(self, head: bytes) -> bool:
        """The signature, in either byte order."""
        return head[:4] in MAGICS

    def identify(self, data: Reader, name: str) -> tuple[Identity, ...]:
        """Raises NotIdentified, always: a dump is what symbols are needed for."""
        raise NotIdentified(
            "not-symbols",
            "a minidump: it is what symbols are needed for; `symsrv identify --modules` lists its modules",
        )
