"""debuginfod's paths `buildid/<hex>/…`, as gdb, lldb, perf, valgrind and elfutils ask."""

import re
from collections.abc import Sequence

from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import BUILD, build_readings
from symsrv.model.names import NAME_LIMIT_BYTES

_ROOT = "buildid"
_SECTION = "section"
_KINDS = {"executable": Wants.CODE, "debuginfo": Wants.DEBUG}
# A section's name is looked up inside a file and never becomes a path, so it may hold what file names may not.
_BAD_SECTION = re.compile(r"[\x00-\x1f\x7f/\ud800-\udfff]")


class Debuginfod:
    """Files by build id alone: no names, no padding."""

    name = "debuginfod"

    def parse(self, path: str) -> Ask | None:
        """Reads `debuginfo`, `executable` and `section/<name>`."""
        if path[:8].lower() != f"{_ROOT}/":
            return None
        parts = path.split("/", 4)
        if len(parts) == 3 and parts[2] in _KINDS:
            ids = build_readings(parts[1])
            return Ask(_KINDS[parts[2]], ids) if ids else None
        if len(parts) == 4 and parts[2] == _SECTION and _is_section(parts[3]):
            ids = build_readings(parts[1])
            return Ask(Wants.SECTION, ids, detail=parts[3]) if ids else None
        return None

    def paths(self, ask: Ask) -> Sequence[str]:
        """Paths for build ids; there is no packed form."""
        builds = [one.value for one in ask.ids if one.kind == BUILD] if not ask.packed else []
        if ask.wants is Wants.SECTION:
            return tuple(f"{_ROOT}/{value}/{_SECTION}/{ask.detail}" for value in builds if ask.detail)
        kinds = [kind for kind, wants in _KINDS.items() if ask.wants in (wants, Wants.EITHER)]
        return tuple(f"{_ROOT}/{value}/{kind}" for value in builds for kind in kinds)


def _is_section(name: str) -> bool:
    return bool(name) and not _BAD_SECTION.search(name) and len(name.encode()) <= NAME_LIMIT_BYTES
