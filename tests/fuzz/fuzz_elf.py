"""Fuzzes the ELF reader; see `harness.py`."""

from tests.fuzz.harness import fuzz
from tests.made.elf_builder import DEBUG, TEXT, build_elf

if __name__ == "__main__":
    fuzz(
        "elf",
        samples=(
            build_elf((TEXT, DEBUG)),
            build_elf((TEXT, DEBUG), wide=False, order=">", extended=True),
            build_elf((TEXT, DEBUG), notes=b""),
        ),
    )
