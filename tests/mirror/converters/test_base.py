import os

import pytest

from symsrv.mirror.converters.base import ConversionError, Job, Tool, attempt, finished, lay
from symsrv.mirror.programs import Bounds, Ran
from symsrv.model.identity import DEBUG_INFO, Identity
from symsrv.model.ids import debug_id

IDENTITY = Identity("pdb", DEBUG_INFO, "a.pdb", (debug_id("0" * 31 + "1", 1),))
TOOL = Tool("dump_syms", "1.2", ("dump_syms",))


def job(folder, **bounds):
    return Job(folder / "a.pdb", IDENTITY, "a.pdb", folder, Bounds(**bounds))


@pytest.mark.parametrize(
    ("ran", "reason", "says"),
    [
        (Ran(-9, "", "", "idle"), "conversion-timeout", "did nothing after 30s"),
        (Ran(-9, "", "", "cpu"), "conversion-timeout", "was not done after 60s"),
        (Ran(-9, "", "", "output"), "conversion-failed", "more than 1000 bytes"),
        (Ran(1, "invalid pdb file", ""), "conversion-failed", "exit code 1: invalid pdb file"),
        (Ran(-11, "", ""), "conversion-failed", "signal 11"),
    ],
    ids=["idle", "cpu", "output", "refused", "crashed"],
)
def test_how_a_tool_ended_becomes_a_reason(tmp_path, ran, reason, says):
    with pytest.raises(ConversionError, match=says) as raised:
        finished(ran, TOOL, job(tmp_path, idle_seconds=30, cpu_seconds=60, output_bytes=1000))

    assert raised.value.reason == reason
    assert "dump_syms 1.2" in str(raised.value)


def test_a_tool_that_did_its_work_is_no_error(tmp_path):
    finished(Ran(0, "a warning", ""), TOOL, job(tmp_path))


def test_a_tool_that_went_meanwhile_is_no_converter(tmp_path):
    gone = Tool("dump_syms", "1.2", (str(tmp_path / "gone"),))

    with pytest.raises(ConversionError, match="cannot be started") as raised:
        attempt(gone, [], job(tmp_path))

    assert raised.value.reason == "no-converter"


@pytest.mark.parametrize("refusing", [(), ("symlink",), ("symlink", "link")], ids=["symlink", "link", "copy"])
def test_a_file_appears_under_another_name(tmp_path, monkeypatch, refusing):
    def refuse(*_):
        raise OSError("not here")

    for name in refusing:
        monkeypatch.setattr(os, name, refuse)
    path = tmp_path / "stored"
    path.write_bytes(b"bytes")

    laid = lay(path, tmp_path / "debug" / "a.pdb")

    assert laid == tmp_path / "debug" / "a.pdb"
    assert laid.read_bytes() == b"bytes"
    assert laid.is_symlink() == (refusing == ())
