"""One fuzzing run of one target: `python -m tests.fuzz.target NAME SECONDS`, which `run.py` starts.

atheris feeds the target with mutated files. An exception, ten seconds over one input, or half a gigabyte of memory ends
it; the input that did it is left in FOUND.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["symsrv"]):
    from tests.fuzz import targets

from tests.fuzz.seeds import LIMIT_BYTES

FOUND = Path(tempfile.gettempdir()) / "symsrv-fuzz-found"
MEMORY_LIMIT_MIB = 512
SLOW_SECONDS, LIMIT_SECONDS = 5, 10


def main() -> None:
    name, seconds = sys.argv[1], int(sys.argv[2])
    target = targets.TARGETS[name]
    FOUND.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for index, seed in enumerate(target.seeds()):
            (Path(folder) / str(index)).write_bytes(seed[:LIMIT_BYTES])
        options = {
            "max_total_time": seconds,
            "max_len": LIMIT_BYTES,
            "timeout": LIMIT_SECONDS,
            "report_slow_units": SLOW_SECONDS,
            "rss_limit_mb": MEMORY_LIMIT_MIB,
            "artifact_prefix": f"{FOUND}/{name}-",
            "print_final_stats": 1,
            "verbosity": 0,
        }
        atheris.Setup([sys.argv[0], *(f"-{key}={value}" for key, value in options.items()), folder], target.once)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
