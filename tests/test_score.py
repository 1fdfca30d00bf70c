from collections import Counter

import pytest

from tests import score
from tests.made import corpus


@pytest.mark.parametrize("entry", corpus.entries())
def test_every_expected_value_of_the_corpus_is_found(entry):
    missed = [point for point in score.score(entry) if not point.won]

    assert not missed


def test_what_is_settled_otherwise_is_still_otherwise():
    if not corpus.all_entries():
        pytest.skip(f"no corpus of real files at {corpus.FOLDER}")
    points = Counter(
        (point.path, point.field)
        for entry in corpus.all_entries()
        for point in score.score(entry)
        if point.expected != point.found
    )

    assert set(points) == set(score.SETTLED)
