"""Bytes read and time per identified file against its size, beside the floor and other readers.

    python bench/identify.py [--rounds 7] [--json FILE] [FILE…]

The floor is mmap and struct with nothing but the id, no checks (`floors.py`). Other readers: pefile (fast_load and the
debug directory), pyelftools, symbolic (opened from the path) where it knows the format. Every round times all of them
on all files in turn, so that a slow minute of the machine falls on all alike; a time includes opening and closing the
file. Shown: the median over the rounds with the smallest and the largest, and the median of the ratios to the floor of
the same round. The files are built ones (`tests/made/grown.py`) that are grown with holes; 4 GB take no room where the
file system knows holes. Their tables are small, which flatters readers that go through all of them, so the largest of
each kind in the corpus are measured too, and whatever is named on the command line. A minidump is only refused.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.floors import FLOORS
from symsrv.formats import identify, identify_path
from symsrv.formats.base import FileReader
from symsrv.model.errors import NotIdentified
from tests.made import corpus
from tests.made.grown import write_grown

SIZES = {"small": 0, "1 MB": 1 << 20, "64 MB": 64 << 20, "4 GB": 4 << 30}  # 0: as small as the format allows
REPEAT = 200
SLOW_NS = 50_000_000  # what takes longer is not repeated
Reading = Callable[[Path], object]


def with_pefile(path: Path) -> object:
    import pefile

    with pefile.PE(str(path), fast_load=True) as image:
        image.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_DEBUG"]])
        return image.FILE_HEADER.TimeDateStamp, image.DIRECTORY_ENTRY_DEBUG[0].entry


def with_pyelftools(path: Path) -> object:
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        for segment in ELFFile(file).iter_segments("PT_NOTE"):
            for note in segment.iter_notes():
                if note["n_type"] == "NT_GNU_BUILD_ID":
                    return note["n_desc"]
    return None


def with_symbolic(path: Path) -> object:
    from symbolic.debuginfo import Archive

    return [one.debug_id for one in Archive.open(str(path)).iter_objects()]


def symsrv(path: Path) -> object:
    try:
        return identify_path(path)
    except NotIdentified as error:
        if error.reason != "not-symbols":
            raise
        return error.reason


# What a file of the kind begins with, as far as its floor can read it, and the libraries that know the kind.
KINDS: dict[str, tuple[bytes, dict[str, Reading]]] = {
    "pe": (b"MZ", {"pefile": with_pefile, "symbolic": with_symbolic}),
    "pdb": (b"Microsoft C/C++ MSF 7.00", {"symbolic": with_symbolic}),
    "elf": (b"\x7fELF\2\1", {"pyelftools": with_pyelftools, "symbolic": with_symbolic}),
    "macho": (b"\xcf\xfa\xed\xfe", {"symbolic": with_symbolic}),
    "fat": (b"\xca\xfe\xba\xbe", {"symbolic": with_symbolic}),
    "portable-pdb": (b"BSJB", {"symbolic": with_symbolic}),
    "msfz": (b"Microsoft MSFZ", {}),
    "pdb2": (b"Microsoft C/C++ program database 2.00", {}),
    "dbg": (b"DI", {}),
    "wasm": (b"\0asm", {"symbolic": with_symbolic}),
    "breakpad": (b"MODULE ", {"symbolic": with_symbolic}),
    "perfmap": (b"FFFFFFFF ", {}),
    "minidump": (b"MDMP", {}),
}
READERS = {kind: {"floor": FLOORS[kind], "symsrv": symsrv, **others} for kind, (_, others) in KINDS.items()}


def make(folder: Path, kind: str, size: int) -> Path:
    """A file of this kind and about this size; what is beyond the small one is a hole."""
    path = folder / f"{kind}-{size}.bin"
    write_grown(path, kind, size)
    return path


def real_files(named: list[Path]) -> dict[tuple[str, str], Path]:
    """The largest file of each kind in the corpus, and the files named on the command line."""
    found: dict[tuple[str, str], Path] = {}
    for path in (*named, *sorted((one.path for one in corpus.all_entries()), key=lambda path: -path.stat().st_size)):
        with path.open("rb") as file:
            head = file.read(64)
        for kind, (magic, _) in KINDS.items():
            wanted = path in named or not any(one == kind for one, _ in found)
            if wanted and head.startswith(magic) and answers(symsrv, path) and answers(FLOORS[kind], path):
                found[kind, path.name[:20]] = path
    return found


def answers(read: Reading, path: Path) -> bool:
    """Whether this reader finds an id in the file."""
    try:
        return bool(read(path))
    except Exception:
        return False


def timed(read: Reading, path: Path, repeat: int) -> float | None:
    """Microseconds per call; None if this reader cannot read the file."""
    try:
        begin = time.perf_counter_ns()
        read(path)
        if time.perf_counter_ns() - begin > SLOW_NS:
            repeat = 1
        begin = time.perf_counter_ns()
        for _ in range(repeat):
            read(path)
        return (time.perf_counter_ns() - begin) / repeat / 1000
    except Exception:
        return None


def bytes_read(path: Path) -> int:
    with path.open("rb") as file:
        reader = FileReader(file.fileno())
        with suppress(NotIdentified):
            identify(reader, path.name)
        return reader.bytes_read


def measure(files: dict[tuple[str, str], Path], rounds: int) -> list[dict[str, object]]:
    """Rows of results; the rounds are interleaved."""
    times: dict[tuple[str, str, str], list[float]] = {}
    for _ in range(rounds):
        for (kind, label), path in files.items():
            for name, read in READERS[kind].items():
                taken = timed(read, path, REPEAT if name in ("floor", "symsrv") else 10)
                if taken is not None:
                    times.setdefault((kind, label, name), []).append(taken)
    rows: list[dict[str, object]] = []
    for (kind, label, name), taken in times.items():
        floor = times.get((kind, label, "floor"), [])
        ratios = [one / base for one, base in zip(taken, floor, strict=False)]
        path = files[kind, label]
        rows.append(
            {
                "format": kind,
                "size": label,
                "file_bytes": path.stat().st_size,
                "reader": name,
                "us_median": round(statistics.median(taken), 1),
                "us_min": round(min(taken), 1),
                "us_max": round(max(taken), 1),
                "to_floor": round(statistics.median(ratios), 2) if ratios else "",
                "bytes_read": bytes_read(path) if name == "symsrv" else None,
            }
        )
    return rows


def show(rows: list[dict[str, object]]) -> None:
    print(f"{'format':13}{'size':22}{'reader':12}", end="")
    print(f"{'median us':>11}{'min':>11}{'max':>11}{'to floor':>10}{'bytes read':>12}")
    for row in rows:
        cells = (row["us_median"], row["us_min"], row["us_max"], row["to_floor"], row["bytes_read"] or "")
        print("{:13}{:22}{:12}".format(row["format"], row["size"], row["reader"]), end="")
        print("{:>11}{:>11}{:>11}{:>10}{:>12}".format(*cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="measure this one too")
    parser.add_argument("--json", type=Path, help="append one line of JSON to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        files = {(kind, label): make(Path(folder), kind, size) for kind in READERS for label, size in SIZES.items()}
        files |= real_files(arguments.files)
        rows = measure(files, arguments.rounds)
    show(rows)
    if arguments.json:
        machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
        record = {"bench": "identify", "when": datetime.now(UTC).isoformat(), "rounds": arguments.rounds}
        with arguments.json.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**record, "machine": machine, "rows": rows}) + "\n")


if __name__ == "__main__":
    main()
