"""Every converter keeps the contract: found or not, of a version, one file made, a reason where none is."""

import shutil

import pytest

from symsrv.formats import identify_path
from symsrv.mirror.converters import CONVERTERS, ConversionError, Job, chosen
from symsrv.mirror.programs import Bounds
from tests.made import zig
from tests.made.samples import SAMPLES

BOUNDS = Bounds(idle_seconds=60, cpu_seconds=60, memory_bytes=2 << 30, output_bytes=1 << 28)


@pytest.fixture(params=CONVERTERS, ids=[one.name for one in CONVERTERS])
def converter(request):
    return request.param


def a_tool(converter):
    tool = converter.tool()
    if tool is None:
        pytest.skip(f"the tool of {converter.name} is not here")
    return tool


def test_names_are_unique_and_say_what_is_made(converter):
    assert sum(one.name == converter.name for one in CONVERTERS) == 1
    assert converter.makes.isalnum()


def test_what_it_takes_is_said_for_every_format(tmp_path, converter):
    taken = set()
    for name, data in SAMPLES.items():
        path = tmp_path / "sample"
        path.write_bytes(data)
        if name != "minidump" and converter.takes(identify_path(path, "sample")[0]):
            taken.add(name)

    assert {"pdb", "elf", "macho"} <= taken
    assert not taken & {"pe", "pdb2", "dbg", "perfmap"}


def test_a_real_file_becomes_one_in_its_folder(tmp_path, converter):
    tool = a_tool(converter)
    path = zig.elf().path
    job = Job(path, identify_path(path, "libmade.so")[0], "libmade.so", tmp_path, BOUNDS)

    made = converter.convert(tool, job)

    assert made.parent == tmp_path
    assert made.stat().st_size
    assert tool.version in str(tool)


def test_a_broken_file_is_refused_with_a_reason(tmp_path, converter):
    tool = a_tool(converter)
    path = tmp_path / "broken.so"
    shutil.copyfile(zig.elf().path, path)
    identity = identify_path(path, "broken.so")[0]
    path.write_bytes(path.read_bytes()[:64])
    folder = tmp_path / "scratch"
    folder.mkdir()

    with pytest.raises(ConversionError) as raised:
        converter.convert(tool, Job(path, identity, "broken.so", folder, BOUNDS))

    assert raised.value.reason == "conversion-failed"


def test_without_a_tool_it_is_said_what_is_missing():
    with pytest.raises(ConversionError, match="nowhere/dump_syms cannot be run") as raised:
        chosen("sym", "nowhere/dump_syms")

    assert raised.value.reason == "no-converter"
    with pytest.raises(ConversionError, match=r"nothing here makes \.exe files"):
        chosen("exe")
