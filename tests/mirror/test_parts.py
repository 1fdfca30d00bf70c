"""Parts: they outlive the worker that wrote them, and nobody takes them from one that lives."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from symsrv.mirror import parts as module
from symsrv.mirror.base import Try
from symsrv.mirror.parts import Parts, Whole
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import SymbolId
from symsrv.model.wants import Want, WantState

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TRY = Try("a.pdb/1/a.pdb", "https://there/a.pdb/1/a.pdb")

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells which run of it this is")


def want(digits: str = "1") -> Want:
    ask = Ask(Wants.DEBUG, (SymbolId("debug", digits * 33),), "a.pdb")
    return Want(int(digits), ask, WantState.CLAIMED, 1, NOW, NOW)


def whole(size: int, *, file: str = "body") -> Whole:
    return Whole(file, "a.pdb", "0" * 64, size, "there", TRY.address, size)


def write(parts: Parts, data: bytes = b"symbols", *, one: Want | None = None) -> None:
    one = one or want()
    (parts.of(one, "there", TRY) / "body").write_bytes(data)
    parts.note(one, TRY, whole(len(data)))


@pytest.fixture
def open_parts(tmp_path):
    opened = []

    def open_them(state: str = "sqlite:///state") -> Parts:
        opened.append(Parts(tmp_path / "arriving", state=state))
        return opened[-1]

    yield open_them
    for one in opened:
        one.close()


def kill(tmp_path, code: str) -> None:
    """Runs code in a process of its own, which kills itself at the end."""
    script = (
        "import os, signal\nfrom pathlib import Path\nfrom tests.mirror.test_parts import *\n"
        f"parts = Parts(Path({str(tmp_path / 'arriving')!r}), state='sqlite:///state')\n"
        f"{code}\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_whole_body_is_found_again_and_a_changed_one_is_not(open_parts):
    parts = open_parts()
    assert parts.whole(want()) is None

    write(parts)

    found, path = parts.whole(want())
    assert (found.address, path.read_bytes()) == (TRY.address, b"symbols")
    assert parts.whole(want("2")) is None
    path.write_bytes(b"cut")
    assert parts.whole(want()) is None
    assert parts.whole(want()) is None


def test_tries_and_upstreams_have_folders_of_their_own(open_parts):
    parts = open_parts()
    other = Try("a.pdb/1/a.pd_", "https://there/a.pdb/1/a.pd_", packed=True)

    folders = {parts.of(want(), "there", TRY), parts.of(want(), "there", other), parts.of(want(), "here", TRY)}

    assert len(folders) == 3
    assert parts.of(want(), "there", TRY) in folders
    parts.clear(want(), "there", TRY)
    assert sum(folder.is_dir() for folder in folders) == 2
    for upstream, one in (("there", other), ("here", TRY)):
        parts.clear(want(), upstream, one)
    assert not parts.of(want(), "there", TRY).parent.samefile(parts.folder)
    parts.clear(want(), "there", TRY)
    assert [one.name for one in parts.folder.iterdir() if one.is_dir()] == []
    assert parts.of(want(), "there", TRY).is_dir()
    parts.drop(want())
    assert not any(folder.exists() for folder in folders)


def test_what_the_store_has_by_a_second_name_is_never_written_to(open_parts, tmp_path):
    parts = open_parts()
    write(parts)
    (tmp_path / "in-the-store").hardlink_to(parts.of(want(), "there", TRY) / "body")

    assert list(parts.of(want(), "there", TRY).iterdir()) == []

    assert (tmp_path / "in-the-store").read_bytes() == b"symbols"


@linux
def test_what_a_killed_worker_left_goes_to_the_next(open_parts, tmp_path):
    kill(tmp_path, "write(parts, b'from before')")
    parts = open_parts()
    assert parts.whole(want()) is None

    dead = parts.adopt()

    assert len(dead) == 1
    assert parts.whole(want())[1].read_bytes() == b"from before"
    assert parts.adopt() == []


def test_nothing_is_taken_from_a_worker_that_lives_or_has_another_state(open_parts):
    living, elsewhere = open_parts(), open_parts("sqlite:///other")
    write(living)
    write(elsewhere)

    parts = open_parts()

    assert parts.adopt() == []
    assert parts.whole(want()) is None
    assert living.whole(want()) is not None


@linux
def test_what_is_under_way_is_not_replaced_by_what_was_left(open_parts, tmp_path):
    kill(tmp_path, "write(parts, b'from before')")
    parts = open_parts()
    (parts.of(want(), "there", TRY) / "body").write_bytes(b"in hand")

    parts.adopt()

    assert parts.whole(want()) is None
    assert (parts.of(want(), "there", TRY) / "body").read_bytes() == b"in hand"


@pytest.mark.parametrize("before", ["another-run-of-the-system", ""])
def test_what_was_written_before_the_system_started_is_dropped(open_parts, tmp_path, monkeypatch, before):
    """A power cut leaves files whose length says more than what was written of them."""
    boot = tmp_path / "boot_id"
    boot.write_text(before)
    monkeypatch.setattr(module, "_BOOT_ID", boot)
    kill(tmp_path, f"module._BOOT_ID = Path({str(boot)!r})")
    first = Parts(tmp_path / "arriving", state="sqlite:///state")
    write(first)
    first.close()
    boot.write_text(before and "now")

    parts = open_parts()
    dead = parts.adopt()

    assert first.worker in dead
    assert parts.whole(want()) is None
    assert [one.name for one in (tmp_path / "arriving").rglob("body")] == []


def test_a_worker_that_ends_in_order_leaves_only_what_is_not_done(open_parts, tmp_path):
    idle, busy = open_parts(), open_parts()
    write(busy)

    idle.close()
    busy.close()

    assert [one.name for one in next((tmp_path / "arriving").iterdir()).iterdir() if one.is_dir()] == [busy.worker]


def test_parts_of_wants_that_are_over_are_pruned(open_parts):
    parts = open_parts()
    for digits in "1234":
        write(parts, one=want(digits))
    known = {1: want("1"), 2: replace(want("2"), state=WantState.ANSWERED), 3: replace(want("9"), id=3)}

    assert parts.prune(known.get) == 3

    assert [digits for digits in "1234" if parts.whole(want(digits)) is not None] == ["1"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_a_file_gets_the_rights_that_any_file_of_ours_has(open_parts):
    before = os.umask(0o027)
    try:
        assert open_parts().mode == 0o640
    finally:
        os.umask(before)


def test_old_parts_are_swept_and_young_ones_are_not(open_parts):
    parts = open_parts()
    write(parts)
    write(parts, one=want("2"))
    for path in [parts.of(want(), "there", TRY).parent, *parts.of(want(), "there", TRY).parent.rglob("*")]:
        os.utime(path, (0, 0))

    assert parts.sweep(older_than_seconds=3600) == 1

    assert parts.whole(want()) is None
    assert parts.whole(want("2")) is not None
