"""What is written down of a download is believed only if it can be true."""

import json

import pytest

from symsrv.mirror import progress as module
from symsrv.mirror.progress import Part, Progress
from symsrv.mirror.spans import Span


@pytest.fixture(autouse=True)
def boot(tmp_path, monkeypatch):
    """The system's own word for this start of it, which is not there on every system."""
    file = tmp_path / "boot"
    file.write_text("one\n")
    monkeypatch.setattr(module, "_BOOT", file)
    return file


@pytest.fixture
def part(tmp_path):
    part = Part(tmp_path, ("https://symbols.example/", "a"))
    with part.open() as file:
        file.write(b"x" * 100)
    return part


def half(*spans, **facts):
    """What is here of a thousand bytes; 60 of them in the file's hundred unless told."""
    spans = spans or ((0, 40, 50), (50, 70, 1000, b"lead"))
    known = {"total": 1000, "validator": '"tag"', "encoding": "gzip", "name": "a.pdb", **facts}
    return Progress(**known, spans=[Span(*one) for one in spans])


def told(progress):
    return (*(getattr(progress, name) for name in FACTS), [(s.start, s.at, s.end, s.lead) for s in progress.spans])


HALF = half()
FACTS = ("total", "validator", "encoding", "name", "whole")


def again(tmp_path):
    return Part(tmp_path, ("https://symbols.example/", "a"))


def test_another_process_goes_on_from_there(part, tmp_path):
    part.save(HALF)

    assert told(again(tmp_path).load()) == told(HALF)
    assert again(tmp_path).path == part.path


def test_another_try_begins_anew(part, tmp_path):
    part.save(HALF)

    assert Part(tmp_path, ("https://symbols.example/", "b")).load() == Progress()


def test_what_was_before_the_system_started_does_not_count(part, tmp_path, boot):
    part.save(HALF)
    boot.write_text("two\n")

    assert again(tmp_path).load() == Progress()


def test_where_the_system_does_not_tell_nothing_counts(part, tmp_path, boot):
    boot.unlink()
    other = again(tmp_path)
    other.save(HALF)

    assert again(tmp_path).load() == Progress()


@pytest.mark.parametrize(
    "wrong",
    [
        half((0, 101, 1000)),
        half((0, 10, 50), (50, 101, 1000)),
        half((0, 10, 50), (60, 60, 1000)),
        half((10, 20, 1000)),
        half((0, 60, 50), (50, 50, 1000)),
        half((0, -1, 50), (50, 50, 1000)),
        half((0, 99, 99), total=99, whole=True),
        half((0, 99, 100), total=100, whole=True),
        half((0, 100, 100), total=101, whole=True),
    ],
)
def test_what_cannot_be_true_is_not_believed(part, tmp_path, wrong):
    part.save(wrong)

    assert again(tmp_path).load() == Progress()


def test_a_whole_file_is_known(part, tmp_path):
    part.save(half((0, 100, 100), total=100, whole=True))

    assert again(tmp_path).load().whole


@pytest.mark.parametrize("kept", [0, 1, 40, -1])
def test_a_torn_record_is_no_record(part, tmp_path, kept):
    part.save(HALF)
    (record,) = tmp_path.glob("*.json")
    record.write_bytes(record.read_bytes()[:kept])

    assert again(tmp_path).load() == Progress()


@pytest.mark.parametrize(
    "record",
    [
        b"[]",
        b"null",
        b'{"form": 1}',
        b'{"form": 1, "boot": "one", "facts": {}, "spans": [[1]]}',
        b'{"form": 1, "boot": "one", "facts": {}, "spans": [[0, "x", 9, ""]]}',
        b'{"form": 1, "boot": "one", "facts": {"later": 1}, "spans": []}',
        b'{"form": 2, "boot": "one", "facts": {"total": 5}, "spans": []}',
        b"\xff\xfe",
    ],
)
def test_what_cannot_be_read_is_no_record(part, tmp_path, record):
    part.save(HALF)
    (path,) = tmp_path.glob("*.json")
    path.write_bytes(record)

    assert again(tmp_path).load() == Progress()


def test_it_is_written_once_a_second(part, tmp_path, monkeypatch):
    part.tick(half)
    assert not list(tmp_path.glob("*.json"))
    monkeypatch.setattr(module, "_SAVE_SECONDS", 0.0)

    part.tick(half)

    (record,) = tmp_path.glob("*.json")
    assert json.loads(record.read_bytes())["facts"]["total"] == 1000


def test_dropping_leaves_nothing(part, tmp_path, boot):
    part.save(HALF)

    part.drop()
    part.drop()

    assert list(tmp_path.iterdir()) == [boot]


def test_who_reads_in_one_piece_counts_from_the_beginning(part, tmp_path):
    progress = Progress(total=1000, validator="x")
    assert progress.at == 0

    progress.at += 40
    part.save(progress)

    assert again(tmp_path).load().at == 40
