"""Every preset is whole, valid, off by nature and honest about where it is from; they differ in data only."""

import fnmatch
import re

import pytest
import yaml
from pydantic import ValidationError

from symsrv.layouts import LAYOUTS
from symsrv.mirror.presets import Preset, completed, filled, preset, presets
from symsrv.mirror.settings import UpstreamOptions
from symsrv.mirror.spellings import tries
from symsrv.model.ask import Ask, Wants
from symsrv.model.errors import UsageError
from symsrv.model.ids import build_id, debug_id, pe_id
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "symsrv" / "mirror" / "presets"
NAMES = sorted(path.stem for path in FOLDER.iterdir())
FIXED = [name for name in NAMES if presets()[name].group != "template"]
TEMPLATES = [name for name in NAMES if name not in FIXED]
PLACES = {"host": "symbols.example", "org": "contoso", "bucket": "symbols", "port": "1949", "path": "srv/symbols"}
PLACES |= {"account": "contoso", "container": "symbols", "project": "7"}
ASKS = [
    Ask(Wants.DEBUG, (debug_id("5eed" * 8, 1),), "symsrv-absent.pdb"),
    Ask(Wants.DEBUG, (debug_id("5eed" * 8, 0xFFFFFFFF),), "symsrv-absent.pdb"),
    Ask(Wants.SYM, (debug_id("5eed" * 8, 1),), "symsrv-absent.pdb"),
    Ask(Wants.DEBUG, (build_id(bytes.fromhex("5eed" * 10)),)),
]


def made(name):
    found = preset(name)
    return filled(name, places={place: PLACES[place] for place in found.placeholders})


def test_every_file_is_a_preset():
    assert list(presets()) == NAMES
    assert all(path.suffix == ".yaml" for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_each_says_the_same_things(name):
    record = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())

    wanted = {"title", "group", "licence", "options", "allow", "quirks", "recorded_from", "recorded", "contacted"}
    assert wanted <= set(record)
    assert {"url", "layouts", "public", "probe_known", "probe_absent"} <= set(record["options"])
    assert ("no_probe" in record) == (record["options"]["probe_known"] is None)
    assert ("placeholders" in record) == (record["group"] == "template")
    assert record["contacted"] is False
    assert "enabled" not in record["options"]


@pytest.mark.parametrize("name", NAMES)
def test_an_upstream_can_be_made_of_each(name):
    options = made(name)

    assert options.preset == name
    assert options.note.startswith(preset(name).licence)


@pytest.mark.parametrize("name", FIXED)
def test_public_servers_are_asked_for_common_files_only(name):
    options = made(name)

    assert options.use_allow == (preset(name).group == "vendor")  # a build id comes without a name
    assert options.allow
    assert options.use_allow or options.rate
    assert all(entry.reason for entry in options.allow)
    assert options.size_limit
    assert options.miss_ttl >= 600
    assert options.concurrency <= 4


@pytest.mark.parametrize("name", FIXED)
def test_plain_http_is_said_to_be_so(name):
    options = made(name)

    assert ("plain http" in options.note) == options.url.startswith("http://")


@pytest.mark.parametrize("name", NAMES)
def test_the_absent_probe_is_what_would_really_be_asked(name):
    options = made(name)

    spelled = {one.path.lower() for ask in ASKS for one in tries(ask, options)}

    assert options.probe_absent.lower() in spelled


@pytest.mark.parametrize("name", [name for name in FIXED if presets()[name].options["probe_known"]])
def test_the_known_probe_is_a_symbol_that_its_allow_list_names_or_a_record(name):
    options = made(name)
    path = options.probe_known

    if path.startswith("000Admin/"):
        return
    assert any(layout.parse(path) for layout in LAYOUTS if layout.name in options.layouts)
    if not path.startswith("buildid/"):
        assert any(fnmatch.fnmatch(path.split("/")[0].lower(), entry.name.lower()) for entry in options.allow)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("microsoft", "ntdll.pdb"),
        ("microsoft", "wntdll.pdb"),
        ("microsoft", "KERNELBASE.dll"),
        ("microsoft", "ucrtbase.pdb"),
        ("microsoft", "System.Private.CoreLib.pdb"),
        ("microsoft", "vcruntime140_1.amd64.pdb"),
        ("mozilla", "xul.dll"),
        ("mozilla", "libxul.so"),
        ("electron", "electron.exe.pdb"),
        ("electron", "Electron Framework"),
        ("chromium", "chrome.dll.pdb"),
        ("unity", "UnityPlayer_Win64_mono_x64.pdb"),
        ("intel", "igd10iumd64.pdb"),
        ("amd", "atidxx64.pdb"),
        ("nvidia", "nvwgf2umx.dll"),
        ("fedora", "libc.so.6"),
        ("ubuntu", "ld-linux-x86-64.so.2"),
    ],
)
def test_common_modules_are_on_the_list(name, file):
    assert any(fnmatch.fnmatch(file.lower(), entry.name.lower()) for entry in made(name).allow)


@pytest.mark.parametrize("name", FIXED)
def test_the_users_own_program_is_not(name):
    if name == "nuget":  # it has nothing but packages' PDBs, whatever they are called
        return
    for file in ("game.exe", "game.pdb", "secret-project.dll", "server"):
        assert not any(fnmatch.fnmatch(file, entry.name.lower()) for entry in made(name).allow)


def test_one_request_of_microsofts_server_for_one_file():
    options = made("microsoft")

    for ask in (ASKS[0], Ask(Wants.CODE, (pe_id(0x5AB38077, 0x9000),), "Ntdll.dll")):
        assert len(tries(ask, options)) == 1


def test_electrons_keys_are_in_lower_case():
    options = made("electron")

    for ask in ASKS:
        for one in tries(ask, options):
            assert one.path == one.path.lower()


def test_quirks_that_are_options_are_set():
    assert made("ubuntu").first_byte_timeout == 5
    assert made("nuget").forbidden_is_absent
    assert made("opensuse").miss_ttl == 600
    assert made("intel").credentials.headers == {"User-Agent": "curl/7.72.0"}
    assert made("elfutils").order > made("fedora").order
    assert not made("microsoft").public


def test_a_template_is_filled_in():
    options = filled("azure-artifacts", places={"org": "contoso"}, name="ours")

    assert (options.name, options.url) == ("ours", "https://artifacts.dev.azure.com/contoso/_apis/symbol/symsrv")
    assert filled("symsrv", url="http://other:8390/").url == "http://other:8390/"


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: preset("microsft"), r"no preset microsft; did you mean microsoft\?"),
        (lambda: preset("x"), "no preset x; there are .*microsoft"),
        (lambda: filled("azure-artifacts"), "needs org, the organisation"),
        (lambda: filled("mozilla", places={"org": "a"}), "no placeholder org; it has none"),
        (lambda: filled("mozilla", tries=0), "tries: "),
    ],
)
def test_what_is_wrong_is_said(call, why):
    with pytest.raises(UsageError, match=why):
        call()


def test_what_the_configuration_leaves_open_comes_from_the_preset():
    options = completed(UpstreamOptions(name="ms", preset="microsoft", concurrency=1, use_allow=False))

    assert (options.name, options.url) == ("ms", preset("microsoft").url)
    assert (options.concurrency, options.use_allow, options.packed) == (1, False, False)
    assert completed(UpstreamOptions(name="a", url="https://symbols.example/")).layouts == ("symstore", "ssqp")


def test_a_preset_is_strict():
    with pytest.raises(ValidationError, match="colour"):
        Preset(**yaml.safe_load((FOLDER / "amd.yaml").read_text()), colour="red")


def test_each_is_linked_to_its_documents():
    for found in presets().values():
        assert all(re.search(r"[a-z]", source) for source in found.recorded_from)
        assert found.recorded.year >= 2026
