"""Programs whose PDB is still to come: a linker writes the one after the other."""

from collections.abc import Mapping

from symsrv.ingest.draft import identify_source
from symsrv.ingest.memory import Mark
from symsrv.ingest.pairing import Shelves, unpaired
from symsrv.ingest.sources import Source
from symsrv.model.errors import SymsrvError
from symsrv.model.identity import CODE, Identity
from symsrv.store import SymbolStore


class Pairs:
    """Says which programs of a build name a PDB that is neither in the build, as it is now, nor in the store."""

    def __init__(self, store: SymbolStore) -> None:
        self._store = store
        self._known: dict[str, tuple[Mark, tuple[Identity, ...]]] = {}

    def waiting(self, sources: Mapping[str, tuple[Source, Mark]]) -> list[str]:
        """The paths of such programs; a PDB of an older build has another id and does not count."""
        known = {path: self._identified(path, source, mark) for path, (source, mark) in sources.items()}
        self._known = {path: (sources[path][1], identities) for path, identities in known.items()}
        paths = list(known)
        programs = {at for at, path in enumerate(paths) if any(_names_a_pdb(one) for one in known[path][:1])}
        if not programs:
            return []
        return [paths[at] for at in unpaired([known[path] for path in paths], Shelves(self._store)) if at in programs]

    def _identified(self, path: str, source: Source, mark: Mark) -> tuple[Identity, ...]:
        before = self._known.get(path)
        if before is not None and before[0] == mark:
            return before[1]
        try:
            return identify_source(source)
        except SymsrvError:
            return ()


def _names_a_pdb(one: Identity) -> bool:
    return one.kind == CODE and bool(one.debug_file) and bool(one.also)
