"""`symsrv missing --access-log`: a web server's log becomes wants."""

import gzip

import pytest

from tests.crash.publishing import image
from tests.mirror.logs.samples import SERVERS, Asked, log
from tests.mirror.test_access_logs import TEN


@pytest.fixture
def store(run, tmp_path):
    run("add", image(tmp_path / "built", "a.dll"), "--store", tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def write(tmp_path):
    def put(text, name="access.log"):
        path = tmp_path / "logs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return put


def counts(run, store):
    return {one["name"]: one["count"] for one in run("missing", "--store", store, "--json").lines}


@pytest.mark.parametrize("server", SERVERS)
def test_ten_lines_become_three_wants_and_the_same_log_again_changes_nothing(run, store, write, server):
    path = write(log(server, TEN))

    first = run("missing", "--access-log", path, "--store", store, "--json")
    again = run("missing", "--access-log", path, "--store", store, "--json")

    assert first.lines == [
        {
            "path": str(path),
            "format": SERVERS[server][0],
            "lines": 10,
            "misses": 6,
            "forbidden": 0,
            "other": 2,
            "bad": 0,
            "broken": False,
        }
    ]
    assert (again.lines[0]["lines"], again.lines[0]["misses"]) == (0, 0)
    assert counts(run, store) == {"crash.pdb": 3, "app.exe": 2, None: 1}


def test_it_is_said_what_403_means(run, store, write):
    path = write(log("s3", [Asked("/app.exe/5AB380779000/app.exe", status=403)]) + "garbage\n")

    done = run("missing", "--access-log", path, "--store", store)

    assert done.out == (
        f"{path}: 1 misses of symbols in 2 new lines, 1 of them 403, which a bucket that may not be listed says for "
        "what it lacks, 1 bad lines\n"
    )


def test_a_folder_of_logs_and_what_lies_beside_them(run, store, write):
    write(log("nginx", TEN[:3]))
    write("no log\n", "notes.txt")
    folder = write("", "empty.log").parent
    (folder / "access.log.2.gz").write_bytes(gzip.compress(log("nginx", TEN[5:]).encode())[:-3])

    done = run("missing", "--access-log", folder, "--store", store, "--json")

    assert done.code == 0
    assert [(one["path"].rpartition("/")[2], one["misses"], one["broken"]) for one in done.lines] == [
        ("access.log", 2, False),
        ("access.log.2.gz", 3, True),
        ("empty.log", 0, False),
    ]
    assert "breaks off" in done.err


def test_what_was_named_and_is_no_log_fails(run, store, write, tmp_path):
    good, bad = write(log("nginx", TEN)), write("no log\n", "notes.txt")

    done = run("missing", "--access-log", good, bad, tmp_path / "nowhere", "--store", store, "--json")

    assert done.code == 3
    assert [one.get("reason") for one in done.lines] == [None, "unknown-format", "missing"]
    assert run("missing", "--access-log", bad, "--store", store).code == 1


def test_a_dry_run_files_nothing(run, store, write):
    done = run("missing", "--access-log", write(log("nginx", TEN)), "--store", store, "--dry-run", "--json")

    assert done.lines[0]["misses"] == 6
    assert counts(run, store) == {}


def test_symbols_below_a_path(run, store, write):
    path = write(log("nginx", [Asked("/sym/app.exe/5AB380779000/app.exe"), Asked("/b.exe/5AB380779000/b.exe")]))

    run("missing", "--access-log", path, "--prefix", "/sym", "--store", store)

    assert counts(run, store) == {"app.exe": 1}


def test_what_is_here_by_now_is_not_missing(run, store, write):
    path = write(log("nginx", [Asked("/a.dll/5AB380779000/a.dll"), Asked("/b.dll/5AB380779000/b.dll")]))

    run("missing", "--access-log", path, "--store", store)

    assert counts(run, store) == {"b.dll": 1}
