"""What the lists have in common; the rest is in the tests of each."""

import getpass

from symsrv.commands import listing


def test_who_listed_something_is_told_where_the_system_knows(monkeypatch, run, stored, state):
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    run("block", "add", "x.pdb")

    assert state.lists.entries()[0].who == "ada"


def test_a_system_without_users_is_none(monkeypatch):
    def nobody():
        raise OSError("no password database")

    monkeypatch.setattr(getpass, "getuser", nobody)

    assert listing._who() == ""
