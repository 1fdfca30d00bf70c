"""Files, transactions and finding: the store that every other room stands on."""

from symsrv.backends.access import Access
from symsrv.backends.base import Opened, Staged, Stat
from symsrv.store.draft import Draft, Offer
from symsrv.store.elsewhere import Place, open_place
from symsrv.store.finding import Absence, Lead
from symsrv.store.homes import Home, is_packed, key_of, plain_name
from symsrv.store.pointers import Pointer, parse_pointer
from symsrv.store.store import SymbolStore, open_store

__all__ = [
    "Absence",
    "Access",
    "Draft",
    "Home",
    "Lead",
    "Offer",
    "Opened",
    "Place",
    "Pointer",
    "Staged",
    "Stat",
    "SymbolStore",
    "is_packed",
    "key_of",
    "open_place",
    "open_store",
    "parse_pointer",
    "plain_name",
]
