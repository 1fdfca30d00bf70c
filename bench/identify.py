"""Bytes read and time per identified file against its size, beside the floor and other readers.

    python bench/identify.py [--rounds 7] [--json FILE] [FILE…]

The floor is mmap and struct with nothing but the id, no checks. Other readers: pefile (fast_load and the debug
directory), pyelftools, symbolic (opened from the path). Every round times all of them on all files in turn, so that a
slow minute of the machine falls on all alike; a time includes opening and closing the file. Shown: the median over the
rounds with the smallest and the largest, and the median of the ratios to the floor of the same round. The files are
built ones (`tests/made`) that are grown with holes; 4 GB take no room where the file system knows holes. Their tables
are small, which flatters readers that go through all of them, so the largest of each kind in the corpus are measured
too, and whatever is named on the command line.
"""

import argparse
import json
import mmap
import os
import platform
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from symsrv.formats import identify, identify_path
from symsrv.formats.base import FileReader
from tests.made import corpus, pdb_builder, zig

SIZES = {"1 KB": 0, "1 MB": 1 << 20, "64 MB": 64 << 20, "4 GB": 4 << 30}  # 0: as small as the format allows
REPEAT = 200
Reading = Callable[[Path], object]


def floor_pe(path: Path) -> object:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        header = struct.unpack_from("<I", data, 0x3C)[0]
        sections, stamp = struct.unpack_from("<HI", data, header + 6)
        magic = struct.unpack_from("<H", data, header + 24)[0]
        size = struct.unpack_from("<I", data, header + 24 + 56)[0]
        optional = struct.unpack_from("<H", data, header + 20)[0]
        address, length = struct.unpack_from("<II", data, header + 24 + (112 if magic == 0x20B else 96) + 48)
        for index in range(sections):
            _, start, raw_size, raw = struct.unpack_from("<4I", data, header + 24 + optional + 40 * index + 8)
            if start <= address < start + raw_size:
                for entry in range(raw + address - start, raw + address - start + length, 28):
                    kind, _, _, pointer = struct.unpack_from("<4I", data, entry + 12)
                    if kind == 2:
                        return stamp, size, data[pointer + 4 : pointer + 24]
        return stamp, size


def floor_pdb(path: Path) -> object:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        page = struct.unpack_from("<I", data, 32)[0]
        directory_map = struct.unpack_from("<I", data, 52)[0] * page

        def word(offset: int) -> int:
            at = struct.unpack_from("<I", data, directory_map + offset // page * 4)[0]
            return int(struct.unpack_from("<I", data, at * page + offset % page)[0])

        count = word(0)
        before = [-(-word(4 + 4 * index) // page) for index in range(3)]
        info = word(4 + 4 * count + 4 * before[0]) * page
        dbi = word(4 + 4 * count + 4 * sum(before)) * page
        return data[info + 12 : info + 28], struct.unpack_from("<I", data, dbi + 8)[0]


def floor_elf(path: Path) -> object:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
        for index in range(count):
            kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", data, at + size * index)
            note = offset
            while kind == 4 and note < offset + length:
                owner, described, note_kind = struct.unpack_from("<3I", data, note)
                if note_kind == 3:
                    return data[note + 12 + owner : note + 12 + owner + described]
                note += 12 + (owner + 3 & ~3) + (described + 3 & ~3)
    return None


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


READERS: dict[str, dict[str, Reading]] = {
    "pe": {"floor": floor_pe, "symsrv": identify_path, "pefile": with_pefile, "symbolic": with_symbolic},
    "pdb": {"floor": floor_pdb, "symsrv": identify_path, "symbolic": with_symbolic},
    "elf": {"floor": floor_elf, "symsrv": identify_path, "pyelftools": with_pyelftools, "symbolic": with_symbolic},
}


def make(folder: Path, kind: str, size: int) -> Path:
    """A file of this kind and at least this size; what is beyond the small one is a hole."""
    path = folder / f"{kind}-{size}.{ {'pe': 'exe', 'pdb': 'pdb', 'elf': 'so'}[kind] }"
    if kind == "pdb" and size:
        pdb_builder.write_sparse_pdb(path, size)
        return path
    small = {"pe": lambda: zig.linked("x86_64").code.read_bytes(), "elf": lambda: zig.elf().path.read_bytes()}
    path.write_bytes(pdb_builder.build_pdb(page_size=512) if kind == "pdb" else small[kind]())
    if size:
        os.truncate(path, size)
    return path


def real_files(named: list[Path]) -> dict[tuple[str, str], Path]:
    """The largest PE, PDB and 64-bit little-endian ELF of the corpus, and the files named on the command line."""
    kinds = {"pe": b"MZ", "pdb": pdb_builder.MAGIC, "elf": b"\x7fELF\2\1"}
    found: dict[tuple[str, str], Path] = {}
    for path in (*named, *sorted((one.path for one in corpus.all_entries()), key=lambda path: -path.stat().st_size)):
        with path.open("rb") as file:
            head = file.read(32)
        for kind, magic in kinds.items():
            wanted = path in named or not any(one == kind for one, _ in found)
            if wanted and head.startswith(magic) and timed(identify_path, path, 1) is not None:
                found[kind, path.name[:20]] = path
    return found


def timed(read: Reading, path: Path, repeat: int) -> float | None:
    """Microseconds per call; None if this reader cannot read the file."""
    try:
        read(path)
        begin = time.perf_counter_ns()
        for _ in range(repeat):
            read(path)
        return (time.perf_counter_ns() - begin) / repeat / 1000
    except Exception:
        return None


def bytes_read(path: Path) -> int:
    with path.open("rb") as file:
        reader = FileReader(file.fileno())
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
    print(
        f"{'format':7}{'size':22}{'reader':12}{'median us':>10}{'min':>9}{'max':>9}{'to floor':>10}{'bytes read':>12}"
    )
    for row in rows:
        cells = (row["us_median"], row["us_min"], row["us_max"], row["to_floor"], row["bytes_read"] or "")
        print("{:7}{:22}{:12}".format(row["format"], row["size"], row["reader"]), end="")
        print("{:>10}{:>9}{:>9}{:>10}{:>12}".format(*cells))


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
