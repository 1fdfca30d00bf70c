import pytest

from symsrv.formats import identify_path
from symsrv.mirror.converters import ConversionError, Job
from symsrv.mirror.converters.symcache import SymCache
from symsrv.mirror.programs import Bounds
from tests.made import zig
from tests.made.macho_builder import ARM64, X86_64, build_fat

symbolic = pytest.importorskip("symbolic")

BOUNDS = Bounds(idle_seconds=60, cpu_seconds=60, memory_bytes=2 << 30, output_bytes=1 << 28)


def converted(folder, path, *, slice_of=0):
    identity = identify_path(path, path.name)[slice_of]
    converter = SymCache()
    return symbolic.SymCache.open(
        str(converter.convert(converter.tool(), Job(path, identity, path.name, folder, BOUNDS)))
    )


@pytest.mark.parametrize("kind", ["pdb", "elf"])
def test_the_cache_knows_functions_and_lines(tmp_path, kind):
    path = zig.linked("x86_64").debug if kind == "pdb" else zig.elf().path

    cache = converted(tmp_path, path)

    assert cache.is_latest_version
    found = [
        one for address in range(0, 0x20000, 4) for one in cache.lookup(address) if one.symbol.startswith("corpus_add")
    ]
    assert found
    assert found[0].line == 1


def test_of_a_fat_file_the_slice_that_is_meant_is_taken(tmp_path):
    slices = [(X86_64, 3, zig.macho("x86_64").read_bytes()), (ARM64, 0, zig.macho("arm64").read_bytes())]
    path = tmp_path / "fat"
    path.write_bytes(build_fat(slices))
    ids = [one.debug_id[:32].lower() for one in identify_path(path, "fat")]

    for place, wanted in enumerate(ids):
        folder = tmp_path / wanted
        folder.mkdir()
        assert converted(folder, path, slice_of=place).debug_id.replace("-", "") == wanted


def test_what_it_cannot_read_it_says_in_a_sentence(tmp_path):
    path = zig.elf().path
    identity = identify_path(path, "a.pdb")[0]
    broken = tmp_path / "broken"
    broken.write_bytes(b"nothing of the kind")

    with pytest.raises(ConversionError, match="unsupported object file format") as raised:
        SymCache().convert(SymCache().tool(), Job(broken, identity, "a.pdb", tmp_path, BOUNDS))

    assert "Traceback" not in str(raised.value)
