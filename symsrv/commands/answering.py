"""Publishing answers what was wanted: what each command does that has published."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from symsrv.model.errors import StoreError, UsageError

if TYPE_CHECKING:
    from symsrv.assembly import Assembly
    from symsrv.store import SymbolStore


def answer_wants(assembly: "Assembly", store: "SymbolStore", warn: Callable[[str], object]) -> int:
    """Lets what was published, by whomever, answer what was wanted; returns how many wants.

    Without a state nothing was ever wanted, and none is made. What goes wrong is only told: the puller, or the next
    one who publishes, makes up for it.
    """
    try:
        state = assembly.state_if_made
        if state is None:
            return 0
        from symsrv.mirror.arrivals import settle

        return len(settle(store, state))
    except (StoreError, UsageError) as error:
        warn(f"the missing list does not know yet what was published: {error}")
        return 0
