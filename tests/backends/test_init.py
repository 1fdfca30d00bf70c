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
        ("az://bucket", "memory://"),
        ("", "--store"),
        ("file://host/store", "file:///host/store"),
        ("s3://", "s3://bucket/prefix"),
        ("gs://", "gs://bucket/prefix"),
        ("memory://", "memory://test"),
    ],
)
def test_what_cannot_be_opened_says_what_can(url: str, word: str):
    with pytest.raises(UsageError) as caught:
        open_backend(url)

    assert word in str(caught.value)


@pytest.mark.parametrize(("module", "scheme", "extra"), [("boto3", "s3", "s3"), ("google.cloud.storage", "gs", "gcs")])
def test_without_its_library_the_error_says_what_to_install(module: str, scheme: str, extra: str):
    code = (
        f"import sys; sys.modules['{module}'] = None\n"
        "from symsrv.backends import open_backend\n"
        "from symsrv.model.errors import UsageError\n"
        f"try: open_backend('{scheme}://bucket')\n"
        "except UsageError as exc: print(exc)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert f'pip install "symsrv[{extra}]"' in done.stdout


def test_the_library_of_a_bucket_is_loaded_only_for_one(tmp_path: Path):
    code = (
        "import sys; from symsrv.backends import open_backend; open_backend(sys.argv[1]);"
        "print({'boto3', 'google.cloud.storage', 'requests'} & {*sys.modules})"
    )

    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
