"""What a writer may be doing when it dies: a setup, which is durable, and a deed, which is recorded."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from symsrv.model.errors import BackendError
from symsrv.store import SymbolStore
from symsrv.upkeep.repair import repair
from tests.crash.publishing import draft, image
from tests.store.stores import add_as_symstore_does


@dataclass(frozen=True)
class Scenario:
    """`deed` calls `done(number)` for each transaction that it was told is committed."""

    name: str
    setup: Callable[[SymbolStore, Path], None]
    deed: Callable[[SymbolStore, Path, Callable[[int], None]], None]
    repairs: bool = False


def _nothing(store: SymbolStore, work: Path) -> None:
    pass


def _two_adds(store: SymbolStore, work: Path) -> None:
    """a.dll is held by 1 and 2, b.dll by 1 alone."""
    a, b = image(work, "a.dll"), image(work, "b.dll")
    store.commit(draft(store, a, b))
    store.commit(draft(store, a))


def _add_new(store, work, done):
    done(store.commit(draft(store, image(work, "n.dll"), image(work, "m.dll", payload=b"x" * 5000))).number)


def _add_present(store, work, done):
    done(store.commit(draft(store, image(work, "a.dll"), image(work, "new.dll"))).number)


def _add_conflicting(store, work, done):
    done(store.commit(draft(store, image(work, "a.dll", payload=b"other"), image(work, "new.dll"))).number)


def _replace(store, work, done):
    other = image(work, "a.dll", payload=b"other")
    done(store.commit(draft(store, other, image(work, "new.dll"), replace=True)).number)


def _delete_with_holder(store, work, done):
    for transaction in store.delete([1]):
        done(transaction.number)


def _delete_all(store, work, done):
    for transaction in store.delete([1, 2]):
        done(transaction.number)


def _interleaved(store, work, done):
    """The first writer has staged when the second comes, commits, and shares a file with it."""
    first = draft(store, image(work, "shared.dll"), image(work, "first.dll"))
    second = draft(store, image(work, "shared.dll"), image(work, "second.dll"))
    done(store.commit(second).number)
    done(store.commit(first).number)
    done(store.delete([3])[0].number)


def _after_a_dead_writer(store, work, done):
    """A writer places a file and dies before its document; the next one finds the file present."""
    create = store._backend.create
    store._backend.create = _die
    with contextlib.suppress(BackendError):
        store.commit(draft(store, image(work, "a.dll"), image(work, "orphan.dll")))
    store._backend.create = create
    done(store.commit(draft(store, image(work, "orphan.dll"))).number)


def _two_packed_adds(store: SymbolStore, work: Path) -> None:
    """As `_two_adds`, compressed."""
    a, b = image(work, "a.dll"), image(work, "b.dll")
    store.commit(draft(store, a, b, compress=True))
    store.commit(draft(store, a))


def _two_tiers(store: SymbolStore, work: Path) -> None:
    """a.dll lies in one tier from before; b.dll, and what is new, in two."""
    store.commit(draft(store, image(work, "a.dll")))
    store._backend.write("index2.txt", b"")
    store.commit(draft(store, image(work, "b.dll")))


def _add_packed(store, work, done):
    files = image(work, "n.dll"), image(work, "m.dll", payload=b"x" * 5000)
    done(store.commit(draft(store, *files, compress=True)).number)


def _add_in_both_forms(store, work, done):
    """Present in the other form, present in its own, a conflict with the other form, and new."""
    other = image(work / "other", "b.dll", payload=b"other")
    files = image(work, "a.dll"), other, image(work, "new.dll")
    done(store.commit(draft(store, *files, compress=True)).number)
    done(store.commit(draft(store, *files)).number)


def _replace_packed(store, work, done):
    other = image(work / "other", "a.dll", payload=b"other")
    done(store.commit(draft(store, other, image(work, "new.dll"), replace=True, compress=True)).number)


def _add_in_two_tiers(store, work, done):
    done(store.commit(draft(store, image(work, "a.dll"), image(work, "b.dll"), image(work, "new.dll"))).number)
    done(store.commit(draft(store, image(work, "packed.dll"), compress=True)).number)
    for transaction in store.delete([2, 3]):
        done(transaction.number)


def _damaged(store: SymbolStore, work: Path) -> None:
    """1 is ours, 2 to 4 are symstore.exe's, and 5 was copied from Linux; of each damage that is mended there is one."""
    root, id_folder = Path(store.url), "5AB380779000"
    store.commit(draft(store, image(work, "a.dll")))
    for number, name in ((2, "b.dll"), (3, "c.dll"), (4, "b.dll"), (5, "B.dll")):
        add_as_symstore_does(root, image(work / str(number), name), number=number, key=f"{name}\\{id_folder}")
    admin, second = root / "000Admin", root / "d.dll" / id_folder  # a torn line is told by a list that has others
    second.mkdir(parents=True)
    (second / "d.dll").write_bytes(image(work, "d.dll").read_bytes())
    (second / "refs.ptr").write_bytes(b'0000000004,file,"C:\\theirs\\d.dll",bin,,N,,')
    with (admin / "0000000004").open("ab") as listed:
        listed.write(b'"d.dll\\5AB380779000","C:\\theirs\\d.dll"\r\n')
    (admin / "lastid.txt").write_text("0000000001")
    (admin / "0000000003").unlink()
    history, server = (admin / "history.txt").read_bytes(), (admin / "server.txt").read_bytes()
    (admin / "history.txt").write_bytes(history[:-9])
    (admin / "server.txt").write_bytes(b"".join(line for line in server.splitlines(True) if b"0000000002" not in line))
    refs = root / "b.dll" / id_folder / "refs.ptr"
    refs.write_bytes(refs.read_bytes()[:-5])
    good = image(work / "good", "g.dll").read_bytes()
    for name, data in (
        ("empty.dll", b""),
        ("broken.dll", good[:100]),
        ("wrong.dll", image(work, "w.dll", stamp=1).read_bytes()),
    ):
        (root / name / id_folder).mkdir(parents=True)
        (root / name / id_folder / name).write_bytes(data)
    (root / "orphan.dll" / id_folder).mkdir(parents=True)
    leftover = root / "c.dll" / id_folder / "c.dll.tmp"
    leftover.write_bytes(good[:50])
    for old in (leftover, root / "orphan.dll" / id_folder):
        os.utime(old, (0, 0))


def _repair(store, work, done):
    done(1)  # it was there before
    steps = [one.path for one in repair(store, scratch="sqlite://")]
    assert len(steps) >= 10, steps


def _die(path, data):
    raise BackendError("unavailable", "died here")


SCENARIOS = (
    Scenario("add new", _nothing, _add_new),
    Scenario("add present", _two_adds, _add_present),
    Scenario("add conflicting", _two_adds, _add_conflicting),
    Scenario("replace", _two_adds, _replace),
    Scenario("delete, held by another", _two_adds, _delete_with_holder),
    Scenario("delete all holders", _two_adds, _delete_all),
    Scenario("two writers", _two_adds, _interleaved),
    Scenario("after a dead writer", _two_adds, _after_a_dead_writer),
    Scenario("add compressed", _nothing, _add_packed),
    Scenario("add in both forms", _two_adds, _add_in_both_forms),
    Scenario("replace compressed", _two_packed_adds, _replace_packed),
    Scenario("delete all holders of a compressed file", _two_packed_adds, _delete_all),
    Scenario("two tiers", _two_tiers, _add_in_two_tiers),
)

REPAIRS = (Scenario("repair", _damaged, _repair, repairs=True),)
"""For stores on a disk: what other tools damage in a bucket nobody mends line by line."""
