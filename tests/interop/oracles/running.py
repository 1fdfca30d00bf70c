"""Running a tool on many files at once, and finding out which of them it would not read."""

import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

BATCH = 400
TIMEOUT_SECONDS = 120


def output(command: Sequence[object], *, timeout_seconds: float = TIMEOUT_SECONDS) -> tuple[str, str]:
    """What a tool prints to each of its outputs; its exit code tells little."""
    done = subprocess.run(
        [str(one) for one in command],
        capture_output=True,
        timeout=timeout_seconds,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def by_file(
    command: Sequence[str], files: Iterable[Path], *, heading: Callable[[str], str | None]
) -> dict[Path, list[str]]:
    """The lines that a tool prints for each file, under a heading with its path.

    LLVM's tools stop at a file that they cannot read; it has no lines then, and the rest is asked for again. A batch of
    one gets the file twice, as some tools print no heading for a single one.
    """
    wanted = list(files)
    found: dict[Path, list[str]] = {}
    while wanted:
        batch = wanted[:BATCH]
        names = {str(one): one for one in batch}
        stdout, _ = output([*command, *(batch if len(batch) > 1 else batch * 2)])
        lines: list[str] | None = None
        seen: dict[Path, list[str]] = {}
        for line in stdout.splitlines():
            name = heading(line)
            if name in names:
                lines = seen.setdefault(names[name], [])
            elif lines is not None:
                lines.append(line)
        found |= seen
        missing = [one for one in batch if one not in seen]
        # Where it stopped is the first one without lines: it is not asked for again.
        wanted = missing[1:] + wanted[len(batch) :]
    return found
