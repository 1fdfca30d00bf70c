"""What options are made of: secrets that lie elsewhere. Units and masking are told with the configuration."""

import pytest
from pydantic import ValidationError

from symsrv.model.errors import UsageError
from symsrv.options import Secret


def test_a_secret_is_read_from_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.setenv("THE_SECRET", "from the environment")
    (tmp_path / "secret").write_text("from a file\nand a comment\n")

    assert Secret(env="THE_SECRET").value() == "from the environment"
    assert Secret(file=tmp_path / "secret").value() == "from a file"


@pytest.mark.parametrize("places", [{}, {"env": "A", "file": "b"}])
def test_a_secret_lies_in_one_place(places):
    with pytest.raises(ValidationError, match="one place"):
        Secret(**places)


def test_a_secret_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("NOT_SET", raising=False)

    with pytest.raises(UsageError, match="NOT_SET"):
        Secret(env="NOT_SET").value()
    with pytest.raises(UsageError, match="gone"):
        Secret(file=tmp_path / "gone").value()
