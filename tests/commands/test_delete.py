"""`symsrv delete`: what it prints, what a dry run foresees, and its exit codes."""

import pytest

from symsrv.backends.disk import Disk
from tests.crash.publishing import image

HOMES = [f"{name}.dll/5AB380779000/{name}.dll" for name in "abc"]


@pytest.fixture
def store(run, tmp_path):
    """1 has a and b, 2 has a, 3 has a and c."""
    folder = tmp_path / "store"
    for names in ("ab", "a", "ac"):
        assert run("add", *(image(tmp_path, f"{name}.dll") for name in names), "--store", folder).code == 0
    return folder


def test_a_delete_says_its_number(run, store):
    done = run("delete", "0000000001", "3", "--store", store, "--comment", "mistake")

    assert (done.code, done.err) == (0, "")
    assert done.out == "transaction 0000000004: deleted 0000000001\ntransaction 0000000005: deleted 0000000003\n"
    assert [(store / home).exists() for home in HOMES] == [True, False, False]
    assert run("history", "--store", store, "--json").lines[3]["comment"] == "mistake"


def test_a_delete_in_json(run, store):
    done = run("delete", "2", "2", "--store", store, "--json")

    assert done.lines == [{"transaction": "0000000004", "deleted": "0000000002"}]


def test_a_dry_run_foresees_all_deletes_together_and_does_nothing(run, store):
    before = sorted(path for path in store.rglob("*"))

    lines = run("delete", "1", "2", "3", "--store", store, "--dry-run", "--json").lines
    text = run("delete", "1", "--store", store, "--dry-run").out

    assert [(line["transaction"][-1], line["key"][0], line["removed"]) for line in lines] == [
        ("1", "a", False),
        ("1", "b", True),
        ("2", "a", False),
        ("3", "a", True),
        ("3", "c", True),
    ]
    assert text == f"{HOMES[0]}: stays, another transaction holds it\n{HOMES[1]}: would be removed\n"
    assert sorted(path for path in store.rglob("*")) == before


@pytest.mark.parametrize(
    ("number", "code"),
    [("9", 12), ("0", 12), ("99999999999", 12), ("4", 12), ("1", 12), ("one", 2), ("-1", 2), ("²", 2)],
)
@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["", "dry"])
def test_what_is_no_live_transaction_is_refused_before_anything_is_deleted(run, store, number, code, more):
    run("delete", "1", "--store", store)

    done = run("delete", "2", number, "--store", store, *more)

    assert done.code == code
    assert done.err.startswith("symsrv: ")
    assert len(run("history", "--store", store, "--json").lines) == 4


def test_errors_in_json(run, store):
    done = run("delete", "9", "--store", store, "--json")

    assert done.code == 12
    assert done.lines == [
        {
            "error": f"no live transaction 0000000009 in {store}; 'symsrv history' lists them",
            "reason": "no-transaction",
        }
    ]


def test_no_store(run, tmp_path):
    assert run("delete", "1", "--store", tmp_path / "nowhere").code == 10


def test_a_locked_store_is_not_waited_for_longer_than_configured(run, store, tmp_path):
    config = tmp_path / "symsrv.yaml"
    config.write_text("lock_timeout: 50ms\n")
    with Disk(store).lock(timeout_seconds=1):
        done = run("delete", "1", "--store", store, "-c", config)
        dry = run("delete", "1", "--store", store, "-c", config, "--dry-run")

    assert done.code == 11
    assert "is locked by process" in done.err
    assert dry.code == 0
