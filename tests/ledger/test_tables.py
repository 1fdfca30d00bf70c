from symsrv.ledger.tables import PREFIX, metadata


def test_every_table_is_recognised_as_one_of_ours():
    assert len(metadata.tables) == 6
    assert all(name.startswith(PREFIX) for name in metadata.tables)
