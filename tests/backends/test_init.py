"""Which place a URL opens."""

import subprocess
import sys
from pathlib import Path

import pytest

from symsrv.backends import open_backend
from symsrv.backends.disk import Disk
from symsrv.model.errors import NoStore, UsageError


@pytest.mark.parametrize("form", ["{0}", "file://{0}", "file://localhost{0}", "FILE://{0}"])
def test_a_folder_is_opened_by_path_or_url(tmp_path: Path, form: str):
    folder = tmp_path / "a b"
    folder.mkdir()
    url = form.format(folder if form == "{0}" else str(folder).replace(" ", "%20"))

    backend = open_backend(url)

    assert isinstance(backend, Disk)
    assert backend.root == folder
    assert backend.url == str(folder)
    assert list(folder.iterdir()) == []  # looking makes nothing


def test_a_folder_may_stand_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    backend = open_backend("symbols", create=True)

    assert isinstance(backend, Disk)
    assert backend.root == tmp_path / "symbols"


def test_a_missing_folder_is_made_only_when_asked(tmp_path: Path):
    folder = tmp_path / "above" / "store"
    for kwargs in ({}, {"read_only": True}, {"read_only": True, "create": True}):
        with pytest.raises(NoStore):
            open_backend(str(folder), **kwargs)
        assert not folder.parent.exists()

    open_backend(str(folder), create=True)

    assert folder.is_dir()


def test_a_file_is_no_store(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(NoStore):
        open_backend(str(tmp_path / "file"))


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("ftp://host/store", "s3://"),
        ("gs://bucket", "memory://"),
        ("", "--store"),
        ("file://host/store", "file:///host/store"),
        ("s3://", "s3://bucket/prefix"),
        ("memory://", "memory://test"),
    ],
)
def test_what_cannot_be_opened_says_what_can(url: str, word: str):
    with pytest.raises(UsageError) as caught:
        open_backend(url)

    assert word in str(caught.value)


def test_without_boto3_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['boto3'] = None\n"
        "from symsrv.backends import open_backend\n"
        "from symsrv.model.errors import UsageError\n"
        "try: open_backend('s3://bucket')\n"
        "except UsageError as exc: print(exc)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert 'pip install "symsrv[s3]"' in done.stdout


def test_boto3_is_loaded_only_for_a_bucket(tmp_path: Path):
    code = (
        "import sys; from symsrv.backends import open_backend; open_backend(sys.argv[1]); print('boto3' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
