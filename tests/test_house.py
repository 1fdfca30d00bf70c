"""The house keeps its own rules: tests beside modules, members in tables, pages that name what is there."""

import ast
import importlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import symsrv.commands

REPOSITORY = Path(__file__).resolve().parent.parent
HOUSE = REPOSITORY / "symsrv"
MODULES = sorted(HOUSE.rglob("*.py"))
ROOMS = sorted(path.parent.name for path in HOUSE.glob("*/__init__.py"))
LINES = 400

SHELVES = {
    "formats": "FORMATS",
    "layouts": "LAYOUTS",
    "backends": "BACKENDS",
    "commands": "COMMANDS",
    "packing": "ARCHIVES",
    "mirror/converters": "CONVERTERS",
    "mirror/logs": "ACCESS_LOGS",
    "mirror/forms": "FORMS",
}
"""Each shelf, by its folder, and its table."""

CONTRACTS = {
    "formats": {"name", "sniff", "identify"},
    "layouts": {"name", "parse", "paths"},
    "packing": {"name", "sniff", "members"},
    "mirror/logs": {"name", "absent", "spread", "parser"},
    "mirror/converters": {"name", "makes", "tool", "takes", "convert"},
    "mirror/forms": {"name", "kinds", "tell"},
}
"""What makes a class a member, where that can be seen from the class."""


def name(path):
    return path.relative_to(REPOSITORY).as_posix()


def package(room):
    return f"symsrv.{room.replace('/', '.')}"


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def statements(function):
    """What a function does, its docstring and 'not implemented' aside."""
    for node in function.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node):
            continue
        yield node


def has_code(path):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(any(statements(node)) for node in ast.walk(tree(path)) if isinstance(node, functions))


def its_test(path):
    stem = {"__init__": "init", "__main__": "main"}.get(path.stem, path.stem)
    return REPOSITORY / "tests" / path.relative_to(HOUSE).parent / f"test_{stem}.py"


def is_protocol(node):
    return any("Protocol" in ast.dump(base) for base in node.bases)


def members_of(path, contract):
    """The classes of a module that have what the contract of its shelf asks for."""
    for node in tree(path).body:
        if isinstance(node, ast.ClassDef) and not is_protocol(node):
            has = {inner.name for inner in node.body if isinstance(inner, ast.FunctionDef)}
            has |= {part.id for inner in node.body for part in ast.walk(inner) if isinstance(part, ast.Name)}
            has |= {part.attr for inner in node.body for part in ast.walk(inner) if isinstance(part, ast.Attribute)}
            if contract <= has:
                yield node.name


def reached_from(table, door):
    """Every name that a table's value uses, straight or through the functions and constants at the same door."""
    parts = {}
    for node in tree(door).body:
        if isinstance(node, ast.AnnAssign):
            parts[node.target.id] = node
        elif isinstance(node, ast.Assign):
            parts[node.targets[0].id] = node
        elif isinstance(node, ast.FunctionDef):
            parts[node.name] = node
    found, ahead = set(), [table]
    while ahead:
        used = {part.id for part in ast.walk(parts[ahead.pop()]) if isinstance(part, ast.Name)} - found
        found |= used
        ahead += [one for one in used if one in parts]
    return found


def imports_of(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def on_table(room):
    """The modules that a shelf's table takes its members from."""
    door = HOUSE / room / "__init__.py"
    reached = reached_from(SHELVES[room], door)
    modules = {
        node.module.rpartition(".")[2]
        for node in ast.walk(tree(door))
        if isinstance(node, ast.ImportFrom) and reached & {alias.name for alias in node.names}
    }
    return {module for module in modules if module != "base" and (HOUSE / room / f"{module}.py").is_file()}


@pytest.mark.parametrize("path", [path for path in MODULES if has_code(path)], ids=name)
def test_every_module_has_its_test(path):
    assert its_test(path).is_file(), f"{name(path)} has no {name(its_test(path))}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_has_grown_too_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_module_says_what_it_is_in_its_first_line(path):
    first = (ast.get_docstring(tree(path)) or "").split("\n")[0]

    assert first, "no docstring"
    assert first.endswith((".", ":", "`")), first


@pytest.mark.parametrize("room", SHELVES)
def test_every_file_of_a_shelf_is_in_its_table_or_serves_one_that_is(room):
    shelf = {path.stem: path for path in (HOUSE / room).glob("*.py")}
    used = {module.rpartition(".")[2] for path in MODULES for module in imports_of(path)}

    forgotten = set(shelf) - {"__init__", "base"} - on_table(room) - used

    assert on_table(room)
    assert not forgotten, f"not in {SHELVES[room]}"


@pytest.mark.parametrize("room", CONTRACTS)
def test_every_class_that_could_be_a_member_is_one(room):
    shelf = [path for path in (HOUSE / room).glob("*.py") if path.stem != "base"]

    members = {one for path in shelf for one in members_of(path, CONTRACTS[room])}

    assert members
    assert members <= reached_from(SHELVES[room], HOUSE / room / "__init__.py")


def test_every_verb_is_in_the_table():
    table = {(verb.callback.__module__, verb.callback.__name__) for verb in symsrv.commands.COMMANDS}

    made = {
        (f"symsrv.commands.{path.stem}", node.name)
        for path in (HOUSE / "commands").glob("*.py")
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef) and any("'verb'" in ast.dump(one) for one in node.decorator_list)
    }

    assert made == table


@pytest.mark.parametrize("room", SHELVES)
def test_members_of_a_shelf_do_not_know_each_other(room):
    members = on_table(room)
    for member in members:
        others = {f"{package(room)}.{other}" for other in members - {member}}
        known = set(imports_of(HOUSE / room / f"{member}.py")) & others
        assert not known, f"{room}/{member}.py imports {known}; what both need belongs into a module beside them"


def test_the_tables_are_not_empty():
    for room, table in SHELVES.items():
        assert getattr(importlib.import_module(package(room)), table)


def test_the_architecture_page_names_every_room():
    page = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    single = [path.stem for path in HOUSE.glob("*.py") if path.stem != "__init__"]

    for room in [*ROOMS, *single]:
        assert re.search(rf"\b{room}\b", page), f"docs/architecture.md does not name {room}"
    for room in [*ROOMS, *(one for one in single if one != "__main__")]:
        assert f"| `{room}` |" in page


def test_every_decision_is_numbered_once():
    numbers = [path.name[:4] for path in (REPOSITORY / "docs" / "decisions").glob("*.md")]

    assert sorted(numbers) == sorted(set(numbers))
    assert all(number.isdecimal() for number in numbers)


def tracked_files():
    git = shutil.which("git")
    if git is None or not (REPOSITORY / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return [REPOSITORY / line for line in listed.stdout.split("\0") if line and (REPOSITORY / line).is_file()]


def test_no_tracked_file_knows_a_machine():
    places = ["/wo" + "rk/", "/ro" + "ot/", ".pye" + "nv", "/home/run" + "ner"]
    pattern = re.compile("|".join(re.escape(place) for place in places).encode())

    found = [name(path) for path in tracked_files() if pattern.search(path.read_bytes())]

    assert not found


def test_no_tracked_file_is_large():
    large = [name(path) for path in tracked_files() if path.stat().st_size > 200_000]

    assert not large
