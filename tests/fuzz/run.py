"""Runs fuzzing targets for some seconds each, two at a time: `python tests/fuzz/run.py SECONDS [NAME…]`, or all.

Prints how often each executed. Ends with 1 if one of them found something: what it says, and where the input lies.
Needs atheris (the extra `prove`; Linux).
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
FOUND = Path(tempfile.gettempdir()) / "symsrv-fuzz-found"
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
AT_A_TIME = 2
STARTING_SECONDS = 120  # the seeds, and whatever else a machine has to do


def run(seconds: int, name: str) -> bool:
    """Runs one and prints its line; whether it found nothing."""
    command = [sys.executable, "-m", "tests.fuzz.target", name, str(seconds), str(FOUND)]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="symsrv-fuzz-") as folder:
        environment, log = {**os.environ, "TMPDIR": folder}, Path(folder, "log")
        with (
            log.open("wb") as said,
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said) as process,
        ):
            try:
                code = process.wait(seconds + STARTING_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                code = -1
        text = log.read_text(encoding="utf-8", errors="replace")
    executed = re.search(r"number_of_executed_units:\s*(\d+)", text)
    peak = re.search(r"peak_rss_mb:\s*(\d+)", text)
    # A slow input ends nothing, so the code alone does not tell.
    good = code == 0 and executed is not None and "Test unit written to" not in text
    took = f"{time.monotonic() - began:.0f} s, {peak[1] if peak else '?'} MB at the most"
    end = "" if good else f", FOUND SOMETHING (code {code}):\n{text[-6000:]}"
    print(f"{name}: {executed[1] if executed else 'no'} executions in {took}{end}", flush=True)
    return good


def main() -> int:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    names = sys.argv[2:] or list(TARGETS)
    unknown = set(names) - set(TARGETS)
    if unknown:
        print(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    FOUND.mkdir(exist_ok=True)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return int(not all(list(pool.map(partial(run, seconds), names))))


if __name__ == "__main__":
    sys.exit(main())
