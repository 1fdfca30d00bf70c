import pefile
import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.loading.pe_version import version
from tests.made import corpus
from tests.made.elf_builder import build_elf
from tests.made.pe_builder import build_pe
from tests.made.version_builder import version_block, versioned


def read(data):
    return version(BytesReader(data))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("numbers", [(4, 6, 25507, 0), (65535, 1, 2, 65534)])
def test_the_four_numbers_in_their_order(wide, numbers):
    assert read(versioned(numbers, wide=wide)) == numbers


def test_the_type_is_found_among_others():
    assert read(versioned((1, 2, 3, 4), types=(3, 14, 16, 24))) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ",
        build_elf(),
        build_pe(),
        versioned((1, 2, 3, 4), types=(3, 24)),
        versioned((1, 2, 3, 4), types=()),
        versioned((1, 2, 3, 4), block=version_block((1, 2, 3, 4), signature=1)),
        versioned((1, 2, 3, 4), block=version_block((1, 2, 3, 4), key="VS_VERSION_INF0")),
        versioned((1, 2, 3, 4), flat=True),
        versioned((1, 2, 3, 4), address=0),
        versioned((1, 2, 3, 4), address=0x7FFFFFFF),
    ],
)
def test_none_where_there_is_none(data):
    assert read(data) is None


def test_a_cut_file_has_none_and_never_more_is_read_than_the_budget():
    whole = versioned((1, 2, 3, 4))
    for size in range(len(whole)):
        assert read(whole[:size]) in (None, (1, 2, 3, 4))
    reader = BytesReader(versioned((1, 2, 3, 4), types=tuple(range(100, 50000))))
    assert version(reader) is None
    assert reader.bytes_read < 8192


@pytest.mark.parametrize("entry", corpus.entries("pe"))
def test_corpus(entry):
    data = entry.path.read_bytes()
    found = read(data)
    if entry.where.startswith("broken/"):
        return
    try:
        other = pefile.PE(data=data, fast_load=True)
        other.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_RESOURCE"]])
    except pefile.PEFormatError:
        return
    fixed = getattr(other, "VS_FIXEDFILEINFO", None)
    high, low = (fixed[0].FileVersionMS, fixed[0].FileVersionLS) if fixed else (0, 0)
    assert found == ((high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF) if fixed else None)
