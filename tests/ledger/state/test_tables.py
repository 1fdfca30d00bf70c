from symsrv.ledger.state.tables import NUMBER, PREFIX, STATE, STEPS, metadata


def test_every_table_is_recognised_as_one_of_ours():
    assert metadata.tables
    assert all(name.startswith(PREFIX) for name in metadata.tables)


def test_the_state_is_kept_and_every_number_has_its_step():
    assert STATE.kept
    assert sorted(STEPS) == list(range(2, NUMBER + 1))
