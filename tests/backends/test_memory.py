"""Buckets in memory have names."""

import uuid

from symsrv.backends import open_backend


def test_two_openings_of_one_name_see_the_same_and_others_do_not():
    name = uuid.uuid4().hex
    first = open_backend(f"memory://{name}")
    first.create("a/1/a", b"symbols")
    first.close()

    assert open_backend(f"memory://{name}").read("a/1/a") == b"symbols"
    assert open_backend(f"memory://{name}x").stat("a/1/a") is None


def test_the_hash_is_kept_beside_the_bytes(tmp_path):
    backend = open_backend(f"memory://{uuid.uuid4().hex}")
    (tmp_path / "a").write_bytes(b"symbols")
    staged = backend.stage(tmp_path / "a")

    backend.place(staged, "a/1/a")

    assert backend.stat("a/1/a").sha256 == staged.sha256
    backend.close()
