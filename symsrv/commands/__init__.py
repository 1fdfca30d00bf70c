"""What a person types: one file per verb, and this table, in the order of the help text."""

from collections.abc import Sequence

from symsrv.commands.add import add
from symsrv.commands.allow import allow_add, allow_clear, allow_list, allow_remove
from symsrv.commands.base import Verb
from symsrv.commands.block import block_add, block_clear, block_list, block_remove
from symsrv.commands.clients import clients
from symsrv.commands.config import config
from symsrv.commands.convert import convert
from symsrv.commands.delete import delete
from symsrv.commands.fake_upstream import fake_upstream
from symsrv.commands.find import find
from symsrv.commands.frame import run
from symsrv.commands.history import history
from symsrv.commands.identify import identify
from symsrv.commands.missing import missing
from symsrv.commands.pull import pull
from symsrv.commands.reindex import reindex
from symsrv.commands.serve import serve
from symsrv.commands.skiplist import skiplist_add, skiplist_clear, skiplist_find, skiplist_list, skiplist_remove
from symsrv.commands.status import status
from symsrv.commands.symstore import symstore
from symsrv.commands.tell import tell
from symsrv.commands.up import up
from symsrv.commands.upstream_add import upstream_add, upstream_edit
from symsrv.commands.upstream_list import upstream_list, upstream_presets, upstream_show
from symsrv.commands.upstream_log import upstream_log, upstream_stats
from symsrv.commands.upstream_switch import upstream_disable, upstream_enable, upstream_remove
from symsrv.commands.upstream_tail import upstream_tail
from symsrv.commands.upstream_test import upstream_test
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
    pull,
    upstream_add,
    upstream_edit,
    upstream_list,
    upstream_show,
    upstream_test,
    upstream_enable,
    upstream_disable,
    upstream_remove,
    upstream_presets,
    upstream_stats,
    upstream_log,
    upstream_tail,
    allow_list,
    allow_add,
    allow_remove,
    allow_clear,
    block_list,
    block_add,
    block_remove,
    block_clear,
    skiplist_list,
    skiplist_find,
    skiplist_add,
    skiplist_remove,
    skiplist_clear,
    status,
    verify,
    reindex,
    convert,
    tell,
    watch,
    serve,
    clients,
    config,
    symstore,
    fake_upstream,
)

FAMILIES: dict[str, str] = {
    "upstream": "Connect the servers, buckets and folders that are asked for what is missing, and see how they do.",
    "allow": "Say which names upstreams with an allow list are asked for (a whitelist, elsewhere).",
    "block": "Say which names upstreams are never asked for (a blacklist, elsewhere).",
    "skiplist": "See what is not tried again for now, and have it tried after all.",
}
"""The help texts of verbs of two words, by their first word."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs symsrv with these arguments (the process's own by default); returns the exit code."""
    return run(COMMANDS, arguments, families=FAMILIES)
