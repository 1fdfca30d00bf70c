"""Which transaction of an upstream published what: told apart, counted once, dropped."""


def test_a_file_belongs_to_every_transaction_that_published_it(state):
    state.followed.put("up", 7, keys=["a", "b", "b"])
    state.followed.put("up", 7, keys=["b"])
    state.followed.put("up", 8, keys=["b", "c"])
    state.followed.put("other", 7, keys=["a"])
    state.followed.put("up", 9, keys=[])

    assert state.followed.numbers("up") == [7, 8]
    assert state.followed.only_in("up", 7) == ["a"]
    assert state.followed.others("up", 7, keys=["a", "b", "c", "d"]) == {"b", "c"}

    assert state.followed.drop("up", 7) == 2
    assert state.followed.only_in("up", 8) == ["b", "c"]
    assert (state.followed.drop("up"), state.followed.numbers("up"), state.followed.numbers("other")) == (2, [], [7])


def test_a_large_transaction_is_taken_whole(state):
    keys = [f"k{number:05}" for number in range(1200)]

    state.followed.put("up", 1, keys=keys)
    state.followed.put("up", 2, keys=keys[:601])

    assert state.followed.only_in("up", 1) == keys[601:]
    assert state.followed.others("up", 1, keys=keys) == set(keys[:601])
