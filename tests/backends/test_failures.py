"""What the system refused, in the store's words."""

import errno

import pytest

from symsrv.backends.failures import refusals
from symsrv.model.errors import BackendError, Missing


@pytest.mark.parametrize(
    ("code", "reason", "transient"),
    [
        (errno.ENOSPC, "disk-full", False),
        (errno.EDQUOT, "disk-full", False),
        (errno.EACCES, "no-access", False),
        (errno.EROFS, "no-access", False),
        (errno.EMFILE, "unavailable", True),
        (errno.ESTALE, "unavailable", True),
        (errno.EIO, "backend", False),
    ],
)
def test_each_code_has_its_reason(code: int, reason: str, transient: bool):
    with pytest.raises(BackendError) as caught, refusals("writing a/1/a"):
        raise OSError(code, "text")

    assert (caught.value.reason, caught.value.transient) == (reason, transient)
    assert str(caught.value).startswith("writing a/1/a: ")


def test_errors_of_the_store_pass():
    with pytest.raises(Missing), refusals("reading"):
        raise Missing("a")


def test_a_nul_in_a_path_is_refused_too():
    with pytest.raises(BackendError), refusals("opening"):
        raise ValueError("embedded null byte")
