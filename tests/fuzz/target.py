"""One fuzzing run of one target: `python -m tests.fuzz.target NAME SECONDS FOLDER`, which `run.py` starts.

atheris feeds the target with mutated files. An exception, ten seconds over one input, or half a gigabyte of memory ends
it; the input that did it is left in FOLDER. atheris ends the process at once, so whoever started it tidies up TMPDIR.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["symsrv"]):
    from tests.fuzz import targets

from tests.fuzz.seeds import LIMIT_BYTES

MEMORY_LIMIT_MIB = 512
SLOW_SECONDS, LIMIT_SECONDS = 5, 10


def main() -> None:
    name, seconds, found = sys.argv[1:]
    target = targets.TARGETS[name]
    corpus = Path(tempfile.mkdtemp())
    for index, seed in enumerate(target.seeds()):
        (corpus / str(index)).write_bytes(seed[:LIMIT_BYTES])
    options = {
        "max_total_time": seconds,
        "max_len": LIMIT_BYTES,
        "timeout": LIMIT_SECONDS,
        "report_slow_units": SLOW_SECONDS,
        "rss_limit_mb": MEMORY_LIMIT_MIB,
        "artifact_prefix": f"{found}/{name}-",
        "print_final_stats": 1,
        "verbosity": 0,
    }
    atheris.Setup([sys.argv[0], *(f"-{key}={value}" for key, value in options.items()), str(corpus)], target.once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
