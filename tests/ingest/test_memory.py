"""What a watcher remembers."""

import json
import logging

from symsrv.ingest.memory import Mark, Memory
from symsrv.ingest.results import FileResult, FileStatus
from tests.ingest.files import written

MARK = Mark(1, 2, 3)


def stored(path: str) -> FileResult:
    return FileResult(path, FileStatus.STORED, key="a/1/a", sha256="ab")


def test_what_was_published_is_known_after_a_restart(tmp_path):
    path = str(written(tmp_path / "a", b""))
    memory = Memory.of(str(tmp_path), store="s", state=tmp_path / "state")
    memory.note(path, MARK, stored(path))
    memory.ready = Mark(4, 5, 6)
    memory.save(seen={path}, count=1)

    again = Memory.of(str(tmp_path), store="s", state=tmp_path / "state")

    assert again.knows(path, MARK)
    assert not again.knows(path, Mark(1, 2, 4))
    assert again.get(path).key == "a/1/a"
    assert again.ready == Mark(4, 5, 6)
    assert Memory.of(str(tmp_path), store="other", state=tmp_path / "state").get(path) is None
    assert Memory.of(str(tmp_path), store="s", state=None).get(path) is None


def test_a_failure_keeps_what_the_store_has_from_before():
    memory = Memory(None)
    memory.note("a", MARK, stored("a"))
    memory.note("a", Mark(9, 9, 9), FileResult("a", FileStatus.ERROR, reason="truncated"))

    assert memory.knows("a", Mark(9, 9, 9))
    assert (memory.get("a").key, memory.get("a").sha256) == ("a/1/a", "ab")
    memory.save(seen=set(), count=0)


def test_files_that_are_gone_are_forgotten_some_day(tmp_path):
    memory = Memory(tmp_path / "watch.json")
    for number in range(1200):
        memory.note(str(number), MARK, stored("a"))

    memory.save(seen={"7"}, count=1)

    assert memory.get("7") is not None
    assert memory.get("8") is None
    assert Memory(tmp_path / "watch.json").get("7") is None  # and a file that is not there, at the restart


def test_a_damaged_memory_is_an_empty_one(tmp_path, caplog):
    for text in ("{", "[]", '{"format": 1, "ready": null, "files": {"/": [1]}}', '{"format": 1}'):
        assert Memory(written(tmp_path / "watch.json", text.encode())).get("/") is None
    assert [record.message for record in caplog.records] == ["forgot what was published"] * 4
    later = json.dumps({"format": 2, "ready": None, "files": {"/": [1, 2, 3, "stored", None, None]}})
    assert Memory(written(tmp_path / "watch.json", later.encode())).get("/") is None


def test_a_state_folder_that_cannot_be_written_is_told_once(tmp_path, caplog):
    memory = Memory(written(tmp_path / "file", b"") / "watch.json")

    with caplog.at_level(logging.WARNING):
        memory.save(seen=set(), count=0)
        memory.save(seen=set(), count=0)

    assert [record.message for record in caplog.records] == ["cannot keep what was published"]
