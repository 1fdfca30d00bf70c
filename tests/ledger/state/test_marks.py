import pytest


def test_a_mark_is_a_number_or_a_text(state):
    state.marks.put("cursor", 1 << 40)
    state.marks.put("name", "text \0 \udc80")

    assert state.marks.number("cursor") == 1 << 40
    assert state.marks.text("name") == "text \0 \udc80"
    assert state.marks.get("cursor") == 1 << 40
    assert state.marks.get("none") is None
    assert (state.marks.number("none"), state.marks.text("none")) == (0, "")
    assert (state.marks.number("name", 7), state.marks.text("cursor", "x")) == (7, "x")


def test_a_mark_changes_even_its_kind(state):
    state.marks.put("a", 1)
    state.marks.put("a", "one")
    assert state.marks.get("a") == "one"
    state.marks.put("a", 0)
    assert state.marks.get("a") == 0


@pytest.mark.parametrize(("before", "after"), [(None, 1), (5, 6), ("x", "y"), (0, "")])
def test_a_mark_moves_only_from_where_it_was(state, before, after):
    if before is not None:
        state.marks.put("a", before)

    assert not state.marks.move("a", 9, from_value=77)
    assert state.marks.move("a", after, from_value=before)
    assert not state.marks.move("a", 9, from_value=before)
    assert state.marks.get("a") == after


def test_marks_are_listed_by_how_they_begin(state):
    for name in ("log:a", "log:b", "LOG:c", "log_d"):
        state.marks.put(name, name)

    assert state.marks.all("log:") == {"log:a": "log:a", "log:b": "log:b"}
    assert len(state.marks.all()) == 4
    assert state.marks.drop("log:a")
    assert not state.marks.drop("log:a")
    assert list(state.marks.all("log:")) == ["log:b"]
