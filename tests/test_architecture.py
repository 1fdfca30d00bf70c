"""The toys of docs/architecture.md really take one file and one line each."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
TOY = re.compile(
    r"```python\n# (?P<path>symsrv/\S+)\n(?P<code>.*?)```.*?The line, in `(?P<table>\w+)`: `(?P<line>[^`]+)`", re.S
)

USE = """
import sys
from pathlib import Path
from symsrv.formats import identify_path
from symsrv.ingest import discover
from symsrv.layouts import home, parse_any
from symsrv.store import Draft, Offer, open_store

assert sys.argv[1] in __import__("symsrv").__file__
source = Path("crash.toy")
source.write_bytes(b"TOY1" + bytes(range(16)) + b"main")
(identity,) = identify_path(source)
assert identity.format == "toy"

store = open_store("toy://shelf", create=True, state=Path("state"))
staged = store.stage(source)
offer = Offer(source, str(source), home(identity), staged.size, staged.sha256, (identity,), staged)
assert store.commit(Draft((offer,))).number == 1

store.catch_up()
(found,) = store.find(parse_any("~toy/crash.toy~000102030405060708090A0B0C0D0E0F1"))
opened = store.open(found)
assert opened.stream.read() == source.read_bytes()
opened.close()
store.delete([1])
store.catch_up()
assert not store.find(parse_any("~toy/CRASH.TOY~000102030405060708090a0b0c0d0e0f1"))
store.close()
"""


@pytest.fixture(scope="module")
def house_with_toys(tmp_path_factory):
    house = tmp_path_factory.mktemp("house")
    shutil.copytree(REPOSITORY / "symsrv", house / "symsrv", ignore=shutil.ignore_patterns("__pycache__"))
    toys = list(TOY.finditer(PAGE))
    assert {toy["table"] for toy in toys} == {"FORMATS", "LAYOUTS", "BACKENDS"}
    for toy in toys:
        (house / toy["path"]).write_text(toy["code"], encoding="utf-8")
        door = house / Path(toy["path"]).parent / "__init__.py"
        add_to_table(door, table=toy["table"], line=toy["line"], module=toy["path"][:-3].replace("/", "."))
    return house


def add_to_table(door, *, table, line, module):
    text = door.read_text(encoding="utf-8")
    grown = re.sub(rf"^({table}: [^\n]*? = [({{])", rf"\1{line} ", text, count=1, flags=re.M)
    assert grown != text
    first = re.search(r"^(from|import) ", grown, re.M).start()
    door.write_text(f"{grown[:first]}from {module} import Toy\n{grown[first:]}", encoding="utf-8")


def in_house(house, folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(house)}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_file_of_a_new_format_is_stored_in_a_new_place_and_found_in_a_new_dialect(house_with_toys, tmp_path):
    done = in_house(house_with_toys, tmp_path, "-W", "error", "-c", USE, str(house_with_toys))

    assert done.returncode == 0, done.stderr


def test_the_new_layout_is_held_to_the_contract_by_being_in_the_table(house_with_toys, tmp_path):
    shutil.copytree(REPOSITORY / "tests" / "layouts", tmp_path / "tests")

    done = in_house(
        house_with_toys, tmp_path, "-m", "pytest", "-p", "no:cacheprovider", "tests/test_contract.py", "-k", "toy"
    )

    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_the_toys_are_typed_like_the_rest(house_with_toys):
    toys = [str(path) for path in house_with_toys.rglob("toy.py")]

    shutil.copy(REPOSITORY / "pyproject.toml", house_with_toys)

    done = in_house(
        house_with_toys,
        house_with_toys,
        "-m",
        "mypy",
        "-p",
        "symsrv.formats",
        "-p",
        "symsrv.layouts",
        "-p",
        "symsrv.backends",
    )

    assert len(toys) == 3
    assert done.returncode == 0, done.stdout + done.stderr
