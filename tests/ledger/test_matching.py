"""Which files answer an ask; tests/ledger/test_index.py finds real ones by it."""

import pytest

from symsrv.ledger.matching import ANSWERS, GUESS, may_differ
from symsrv.model.ask import Wants
from symsrv.model.identity import CODE, DEBUG_INFO, SYM
from symsrv.model.ids import BUILD, DEBUG, PE


def test_every_want_has_roles_that_answer_it():
    assert set(ANSWERS) == set(Wants)
    assert list(ANSWERS[Wants.SYM]) == [SYM]


@pytest.mark.parametrize(
    ("wants", "kind", "role", "row_name", "name", "may"),
    [
        (Wants.DEBUG, BUILD, DEBUG_INFO, "a.debug", "b.so", True),
        (Wants.CODE, PE, CODE, "a.exe", "b.exe", False),
        (Wants.DEBUG, DEBUG, DEBUG_INFO, "a.pdb", "b.pdb", True),
        (Wants.DEBUG, DEBUG, DEBUG_INFO, "a.pdb", "b.dbg", False),
        (Wants.DEBUG, DEBUG, DEBUG_INFO, "a.pdb", None, True),
        (Wants.DEBUG, DEBUG, GUESS, "a.pdb", "b.pdb", False),
        (Wants.SYM, PE, SYM, "xul.pdb", "xul.dll", True),
        (Wants.SYM, PE, SYM, "xul.pdb", "nss.dll", False),
    ],
)
def test_other_names_will_do_where_the_id_is_proof_enough(wants, kind, role, row_name, name, may):
    assert may_differ(wants, kind, role, row_name, name) is may
