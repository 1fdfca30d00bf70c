"""Where keys lie: packed twins, tiers, and back."""

import pytest

from symsrv.layouts import parse_any
from symsrv.model.records import CAB
from symsrv.packing import CAB_BYTES
from symsrv.store import homes
from symsrv.store.homes import Home

GUID = "497B72F6390A44FC878E5A2D63B6CC4B1"
HEX = "ab" * 20


@pytest.mark.parametrize(
    ("key", "twin"),
    [
        (f"foo.pdb/{GUID}/foo.pdb", f"foo.pdb/{GUID}/foo.pd_"),
        ("libx/5AB380779000/libx", "libx/5AB380779000/lib_"),
        (f"app/elf-buildid-{HEX}/app", f"app/elf-buildid-{HEX}/ap_"),
        (f"foo.pdb/{GUID}/foo.sym", None),
        ("foo.pd_/5AB380779000/foo.pd_", None),
    ],
)
@pytest.mark.parametrize("tiered", [False, True])
def test_there_and_back(key, twin, tiered):
    path, packed = (homes.two_tiers(one) if tiered and one else one for one in (key, twin))

    assert homes.packed_twin(path) == packed
    assert not homes.is_packed(path)
    assert homes.key_of(path) == key
    assert parse_any(path) is not None
    if packed:
        assert homes.is_packed(packed)
        assert homes.key_of(packed) == key
        assert homes.plain_name(packed) == homes.plain_name(path) == key.split("/")[0]


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("foo.pdb", "fo"), ("a", "a"), ("a.dll", "a"), ("_.debug", "_"), ("Übel.dll", "Üb")],
)
def test_the_prefix_is_in_the_names_own_case(name, prefix):
    key = f"{name}/5AB380779000/{name}"

    assert homes.two_tiers(key) == f"{prefix}/{key}"
    assert homes.key_of(f"{prefix}/{key}") == key


def test_plain_comes_before_packed_and_two_tiers_before_one():
    key, packed = f"foo.pdb/{GUID}/foo.pdb", f"foo.pdb/{GUID}/foo.pd_"

    assert homes.places_of(key, two_tier=False, size=1) == [Home(key), Home(packed, CAB)]
    tiers = homes.places_of(key, two_tier=True, size=1)
    assert tiers == [Home(f"fo/{key}"), Home(key), Home(f"fo/{packed}", CAB), Home(packed, CAB)]
    assert homes.target_of(tiers, compress=True) == Home(f"fo/{packed}", CAB)
    assert homes.target_of(tiers, compress=False) == Home(f"fo/{key}")
    too_long = homes.places_of(key, two_tier=False, size=CAB_BYTES + 1)
    assert homes.target_of(too_long, compress=True) == Home(key)
