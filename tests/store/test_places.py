"""The store's own things have the names that docs/store.md gives them."""

from symsrv.store import places


def test_names_are_those_of_the_specification():
    assert places.document(7) == ".symsrv/transactions/0000000007.jsonl"
    assert places.doomed(9) == ".symsrv/doomed/0000000009.json"
    assert (places.FORMAT_FILE, places.APPLIED) == (".symsrv/store.json", ".symsrv/applied")
    assert places.DISPLACED == ".symsrv/displaced"
