"""One fuzzing run: atheris feeds `identify` with mutated files, and anything but an answer or NotIdentified ends it.

Started by `run.py` as `python -m tests.fuzz.fuzz_pe SECONDS`. Needs atheris (`requirements.txt` here; Linux).
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["symsrv.formats"]):
    from symsrv.formats import contents, identify
    from symsrv.formats.base import READ_BUDGET_BYTES, BytesReader
    from symsrv.model.errors import NotIdentified

from tests.made.corpus import all_entries

SEED_LIMIT_BYTES = 64 * 1024
SECTIONS = (".text", ".debug_info", ".gdb_index")


def once(data: bytes) -> None:
    """One execution. NotIdentified is an answer; every other exception is a find, and so is reading too much."""
    reader = BytesReader(data)
    try:
        found = identify(reader, "fuzz.bin")
        if not all(one.ids and one.to_record() for one in found):
            raise AssertionError("identified without an id")
        for name in SECTIONS:
            contents.section(BytesReader(data), name)
    except NotIdentified:
        pass
    if reader.bytes_read > 2 * READ_BUDGET_BYTES:
        raise AssertionError(f"{reader.bytes_read} bytes read")


def fuzz(*kinds: str, samples: tuple[bytes, ...]) -> None:
    """Fuzzes for the seconds given on the command line, from samples and the small corpus files of these kinds."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory() as folder:
        seeds = [*samples, *(one.path.read_bytes() for one in all_entries() if one.kind in kinds)]
        for index, seed in enumerate(seeds):
            (Path(folder) / str(index)).write_bytes(seed[:SEED_LIMIT_BYTES])
        options = [f"-max_total_time={seconds}", f"-max_len={SEED_LIMIT_BYTES}", "-print_final_stats=1", "-verbosity=0"]
        atheris.Setup([sys.argv[0], *options, folder], once)
        atheris.Fuzz()
