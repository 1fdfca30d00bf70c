"""What a person types: one file per verb, and this table."""

from collections.abc import Sequence

from symsrv.commands.base import Verb
from symsrv.commands.config import config
from symsrv.commands.frame import run
from symsrv.commands.identify import identify

COMMANDS: tuple[Verb, ...] = (
    identify,
    config,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs symsrv with these arguments (the process's own by default); returns the exit code."""
    return run(COMMANDS, arguments)
