"""Text symbols that Mozilla's dump_syms makes of our store, read for real dumps by minidump-stackwalk."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from symsrv.formats import identify_path
from symsrv.ingest import Source, publish
from symsrv.mirror.checking import check
from symsrv.mirror.convert import Convert
from symsrv.mirror.settings import UpstreamOptions
from symsrv.model.ask import Ask, Wants
from symsrv.model.ids import DEBUG
from symsrv.store import open_store
from tests.interop.oracles import dump_syms
from tests.interop.oracles.wheels import CACHE
from tests.made import zig
from tests.made.corpus import FOLDER

pytestmark = pytest.mark.interop

SAMPLE = Path(__file__).resolve().parents[2] / "sample" / "build"


@pytest.fixture(scope="session")
def stackwalk():
    """Where install.sh built it, or anywhere on the path; it does so where Rust's cargo is, and not in CI."""
    name = "minidump-stackwalk"
    place = shutil.which(name) or shutil.which(name, path=str(CACHE / "cargo" / "bin"))
    if not place:
        pytest.skip(f"{name} is not installed; tests/interop/install.sh builds it where cargo is, outside of CI")
    return place


@pytest.fixture
def store(tmp_path):
    store = open_store(str(tmp_path / "store"), create=True, state=tmp_path / "state")
    yield store
    store.close()


@pytest.fixture
def converted(store, tmp_path):
    """Publishes files, has the text symbols of a module made of them, checks and publishes those; their path here."""
    tool = dump_syms.program()

    def convert(name, *files):
        sources = [Source(path, called, name=called) for path, called in files]
        assert not publish(store, sources).failed
        store.catch_up()
        identity = next(one for path, called in files for one in identify_path(path, called) if one.kind != "code")
        ids = tuple(one for one in (*identity.ids, *identity.also) if one.kind == DEBUG)
        ask = Ask(Wants.SYM, ids, name)
        upstream = Convert(UpstreamOptions(name="symbols", kind="convert", url=tool), store)
        folder = tmp_path / "converting"
        folder.mkdir(exist_ok=True)
        fetched = upstream.fetch(upstream.tries(ask)[0], folder)
        checked = check(fetched, ask)
        assert not publish(store, [Source(checked.path, checked.name, name=checked.name)]).failed
        store.catch_up()
        [found] = store.find(ask)
        assert fetched.tool.startswith("dump_syms ")
        return store.plain(found).read_text(errors="replace")

    return convert


def walked(stackwalk, url, dump, folder):
    """The frames of a dump's crashing thread, with the symbols that the server has."""
    command = [stackwalk, "--json", "--symbols-url", f"{url}/", "--symbols-cache", folder / "cache"]
    command += ["--symbols-tmp", folder, dump]
    done = subprocess.run([str(one) for one in command], capture_output=True, timeout=120, check=True)
    report = json.loads(done.stdout)
    return report["crashing_thread"]["frames"], report["modules"]


def corpus(*parts):
    path = FOLDER.joinpath(*parts)
    if not path.is_file():
        pytest.skip(f"no corpus of real files at {FOLDER}; set SYMSRV_CORPUS")
    return path


def test_a_windows_dump_is_read_with_what_a_pdb_became(converted, store, serving, stackwalk, tmp_path):
    text = converted("crash.pdb", (corpus("pdb", "crash.pdb"), "crash.pdb"), (corpus("pe", "crash.exe"), "crash.exe"))
    url = serving(store.url)

    frames, modules = walked(stackwalk, url, corpus("minidump", "windows.dmp"), tmp_path)

    assert "INFO CODE_ID 5AB380779000 crash.exe\n" in text
    [module] = [one for one in modules if one["filename"] == "crash.exe"]
    assert (module["loaded_symbols"], module["missing_symbols"]) == (True, False)
    named = [one["function"] for one in frames if one["module"] == "crash.exe"]
    assert "main(int, char**)" in named
    assert all(named)
    assert any(one["file"] and one["file"].endswith("main.cpp") and one["line"] for one in frames)


def test_a_linux_dump_is_read_with_what_an_elf_file_became(converted, store, serving, stackwalk, tmp_path):
    converted("crash", (corpus("elf", "crash.debug-zstd"), "crash.debug"), (corpus("elf", "crash"), "crash"))
    url = serving(store.url)

    frames, modules = walked(stackwalk, url, corpus("minidump", "linux.dmp"), tmp_path)

    [module] = [one for one in modules if one["filename"] == "crash"]
    assert (module["loaded_symbols"], module["missing_symbols"]) == (True, False)
    named = [one["function"] for one in frames if one["module"] == "crash"]
    assert named
    assert all(named)


@pytest.mark.parametrize("arch", ["x86_64", "x86"])  # of ARM, dump_syms knows no unwind data
def test_a_pdb_of_our_own_with_its_program(converted, arch):
    pair = zig.linked(arch)

    text = converted("made.pdb", (pair.debug, "made.pdb"), (pair.code, "made.exe"))

    assert " made.exe\n" in text.split("\n", 2)[1] + "\n"
    assert "corpus_add" in text
    assert "\nSTACK " in text


def test_an_elf_file_of_our_own(converted):
    path = zig.elf().path

    text = converted("libmade.so", (path, "libmade.so"))

    assert text.split("\n")[0].endswith(" libmade.so")
    assert "corpus_add" in text


@pytest.mark.parametrize("system", ["windows", "linux"])
def test_the_sample_that_the_repository_carries(converted, system):
    files = {path.name: path for path in (SAMPLE / system).iterdir()}
    name = next((one for one in files if one.endswith(".pdb")), "crash")

    text = converted(name, *((path, one) for one, path in files.items()))

    assert "\nFUNC " in text


def test_a_debug_file_is_asked_for_where_its_program_is_known_by_breakpads_path(converted, store, serving):
    """The path that Breakpad's and Socorro's processors ask for, and the one by the program's id."""
    import urllib.request

    pair = zig.linked("x86_64")
    text = converted("made.pdb", (pair.debug, "made.pdb"), (pair.code, "made.exe"))
    url = serving(store.url)
    debug_id = identify_path(pair.debug, "made.pdb")[0].debug_id
    code_id = identify_path(pair.code, "made.exe")[0].code_id

    for path in (f"made.pdb/{debug_id}/made.sym", f"made.exe/{code_id.upper()}/made.sym"):
        with urllib.request.urlopen(f"{url}/{path}", timeout=30) as answer:
            assert answer.read().decode() == text


def test_an_empty_store_and_a_dump(symsrv, serving, stackwalk, tmp_path):
    """All of it: what a dump lacks is pulled from another store, converted, and read by a processor of dumps."""
    pdb, program = corpus("pdb", "crash.pdb"), corpus("pe", "crash.exe")
    dump = corpus("minidump", "windows.dmp")
    symsrv("add", pdb, program, "--store", tmp_path / "there")
    config = tmp_path / "symsrv.yaml"
    config.write_text(
        f"store: {tmp_path}/here\nstate: {tmp_path}/state\nupstreams:\n"
        f"- {{name: there, url: {tmp_path}/there}}\n"
        f"- {{name: symbols, kind: convert, url: {dump_syms.program()}, order: 1, on_arrival: true}}\n"
    )

    symsrv("pull", "--dump", dump, "-c", config, code=3)  # Windows' own libraries are nowhere

    url = serving(tmp_path / "here")
    frames, _ = walked(stackwalk, url, dump, tmp_path)
    named = [one["function"] for one in frames if one["module"] == "crash.exe"]
    assert "main(int, char**)" in named
    log = symsrv("upstream", "log", "symbols", "-c", config, "--json").stdout
    assert '"stage": "converting"' in log
    assert '"tool": "dump_syms ' in log
