"""What a watcher remembers."""

import json
import logging

from symsrv.ingest.memory import Mark, Memory
from symsrv.ingest.results import FileResult, FileStatus
from tests.ingest.files import written

MARK = Mark(1, 2, 3)


def stored(path: str) -> FileResult:
    return FileResult(path, FileStatus.STORED, key="a/1/a", sha256="ab")


def ignored(path: str) -> FileResult:
    return FileResult(path, FileStatus.IGNORED, reason="no-id")


def test_what_was_published_is_known_after_a_restart(tmp_path):
    memory = Memory.of(str(tmp_path), store="s", state=tmp_path / "state")
    memory.note("a", MARK, stored("a"))
    memory.ready = Mark(4, 5, 6)
    memory.save()

    again = Memory.of(str(tmp_path), store="s", state=tmp_path / "state")

    assert again.knows("a", MARK)
    assert not again.knows("a", Mark(1, 2, 4))
    assert again.get("a").key == "a/1/a"
    assert again.ready == Mark(4, 5, 6)
    assert Memory.of(str(tmp_path), store="other", state=tmp_path / "state").get("a") is None
    assert Memory.of(str(tmp_path), store="s", state=None).get("a") is None


def test_a_publish_appends_and_the_end_writes_it_anew(tmp_path):
    file = tmp_path / "watch.jsonl"
    memory = Memory(file)
    memory.note("a", MARK, stored("a"))
    memory.save()
    before = file.read_text()
    memory.note("b", MARK, stored("b"))
    memory.note("a", Mark(7, 8, 9), stored("a"))
    memory.save()

    assert file.read_text().startswith(before)
    assert Memory(file).knows("a", Mark(7, 8, 9))
    memory.rewrite()
    assert file.read_text().count('"a"') == 1
    assert Memory(file).files == memory.files


def test_appending_ends_some_day(tmp_path):
    memory = Memory(tmp_path / "watch.jsonl")
    for number in range(600):
        memory.note("a", Mark(number, 0, 0), stored("a"))
        memory.save()

    assert len((tmp_path / "watch.jsonl").read_text().splitlines()) < 600
    assert Memory(tmp_path / "watch.jsonl").knows("a", Mark(599, 0, 0))


def test_a_torn_line_is_left_out_and_the_next_is_whole(tmp_path):
    file = tmp_path / "watch.jsonl"
    memory = Memory(file)
    memory.note("a", MARK, stored("a"))
    memory.save()
    with file.open("a") as stream:
        stream.write('{"files": {"b": [1, 2')

    again = Memory(file)
    assert again.get("b") is None
    again.note("c", MARK, stored("c"))
    again.save()
    assert sorted(Memory(file).files) == ["a", "c"]


def test_a_failure_keeps_what_the_store_has_from_before():
    memory = Memory(None)
    memory.note("a", MARK, stored("a"))
    memory.note("a", Mark(9, 9, 9), FileResult("a", FileStatus.ERROR, reason="truncated"))

    assert memory.knows("a", Mark(9, 9, 9))
    assert (memory.get("a").key, memory.get("a").sha256) == ("a/1/a", "ab")
    memory.save()
    memory.rewrite()


def test_what_does_not_belong_into_a_store_is_known_by_its_mark_alone(tmp_path):
    memory = Memory(tmp_path / "watch.jsonl")
    memory.note("a", MARK, ignored("a"))
    memory.save_others(most=1)
    assert not (tmp_path / "watch.jsonl").exists()
    memory.save_others()

    assert memory.files == {}
    assert Memory(tmp_path / "watch.jsonl").others == {hash(MARK)}


def test_a_file_that_comes_back_is_known(tmp_path):
    memory = Memory(tmp_path / "watch.jsonl")
    memory.note("a", MARK, stored("a"))
    memory.note("b", MARK, stored("b"))

    assert memory.lose({"b"}) == ["a"]
    assert memory.lose({"b"}) == []
    assert not memory.knows("a", Mark(0, 0, 0))
    assert memory.get("a").key == "a/1/a"
    assert memory.knows("a", MARK)
    assert memory.gone == {}


def test_files_that_are_gone_are_forgotten_some_day(tmp_path):
    memory = Memory(None)
    for number in range(1200):
        memory.note(str(number), MARK, stored("a"))

    memory.lose({"1199"})

    assert memory.get("1199") is not None
    assert memory.get("1198") is not None
    assert memory.get("0") is None
    assert len(memory.gone) == 1001


def test_a_damaged_memory_is_an_empty_one(tmp_path, caplog):
    file = tmp_path / "watch.jsonl"
    for text in ("{", "[]", "{}", ""):
        assert Memory(written(file, text.encode())).files == {}
    assert [record.message for record in caplog.records] == ["forgot what was published"] * 4
    later = json.dumps({"format": 3}) + "\n" + json.dumps({"files": {"/": [1, 2, 3, "stored", None, None]}})
    assert Memory(written(file, later.encode())).files == {}
    for line in ('{"files": {"/": [1]}}', '{"files": []}', "[1]", '{"ready": [1]}'):
        assert Memory(written(file, b'{"format": 2}\n' + line.encode())).files == {}


def test_a_state_folder_that_cannot_be_written_is_told_once(tmp_path, caplog):
    memory = Memory(written(tmp_path / "file", b"") / "watch.jsonl")

    with caplog.at_level(logging.WARNING):
        memory.save()
        memory.save()

    assert [record.message for record in caplog.records] == ["cannot keep what was published"]


def test_a_state_folder_that_goes_away_is_told(tmp_path, caplog):
    memory = Memory(tmp_path / "state" / "watch.jsonl")
    memory.save()
    (tmp_path / "state" / "watch.jsonl").unlink()
    (tmp_path / "state").rmdir()
    memory.save()

    assert [record.message for record in caplog.records] == ["cannot keep what was published"]
