"""Runs every fuzzer for some seconds and prints how often each executed: `python tests/fuzz/run.py SECONDS`.

Ends with 1 if one of them found something; the input that did it is left in a `crash-…` file here.
"""

import re
import subprocess
import sys
from pathlib import Path

FUZZERS = ("fuzz_pe", "fuzz_pdb", "fuzz_elf")
ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
    failed = False
    for name in FUZZERS:
        command = [sys.executable, "-m", f"tests.fuzz.{name}", seconds]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        executed = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
        failed |= done.returncode != 0 or executed is None
        print(f"{name}: {executed[1] if executed else 'no'} executions in {seconds} s", end="")
        print("" if done.returncode == 0 else f", FOUND SOMETHING:\n{done.stderr[-4000:]}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
