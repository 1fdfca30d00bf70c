"""`python -m symsrv` and the `symsrv` program."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line and ends the process with its exit code."""
    from symsrv.commands import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
