"""What a person types: one file per verb, and this table, in the order of the help text."""

from collections.abc import Sequence

from symsrv.commands.add import add
from symsrv.commands.base import Verb
from symsrv.commands.clients import clients
from symsrv.commands.config import config
from symsrv.commands.delete import delete
from symsrv.commands.fake_upstream import fake_upstream
from symsrv.commands.find import find
from symsrv.commands.frame import run
from symsrv.commands.history import history
from symsrv.commands.identify import identify
from symsrv.commands.missing import missing
from symsrv.commands.reindex import reindex
from symsrv.commands.serve import serve
from symsrv.commands.symstore import symstore
from symsrv.commands.up import up
from symsrv.commands.verify import verify
from symsrv.commands.watch import watch
from symsrv.commands.why import why

COMMANDS: tuple[Verb, ...] = (
    up,
    identify,
    add,
    delete,
    history,
    find,
    why,
    missing,
    verify,
    reindex,
    watch,
    serve,
    clients,
    config,
    symstore,
    fake_upstream,
)

FAMILIES: dict[str, str] = {}
"""The help texts of verbs of two words, by their first word."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs symsrv with these arguments (the process's own by default); returns the exit code."""
    return run(COMMANDS, arguments, families=FAMILIES)
