"""Files whose names are part of a dialect: `pingme.txt`, `index2.txt` and `000Admin`."""

from symsrv.serve.answer import Miss, Reason
from symsrv.store import SymbolStore


def fixed(store: SymbolStore, name: str) -> bytes | Miss:
    """The body of a fixed file, by its lower-case path."""
    if name == "pingme.txt":
        return b""  # Ghidra calls a server invalid that does not have it
    if name == "index2.txt":
        # Wrongly there, it sends a client to two-tier paths for its whole session (clients.md, trap 5).
        return b"" if store.two_tier() else Miss(Reason.NO_TIERS)
    data = store.admin_file(name.partition("/")[2])
    return Miss(Reason.HIDDEN) if data is None else data
