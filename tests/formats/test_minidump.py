"""Minidumps are known, and refused as symbols with a sentence that helps."""

import pytest

from symsrv.formats.base import BytesReader
from symsrv.formats.minidump import Minidump
from symsrv.model.errors import NotIdentified
from tests.made import corpus
from tests.made.minidump_builder import build_minidump


@pytest.mark.parametrize("order", "<>")
def test_sniffs_both_byte_orders(order):
    assert Minidump().sniff(build_minidump(order=order)[:64])


@pytest.mark.parametrize("head", [b"", b"MDM", b"mdmp", b"-----BEGIN BREAKPAD MICRODUMP-----", b"MZ\x90\0"])
def test_sniffs_nothing_else(head):
    assert not Minidump().sniff(head)


def test_refusal_names_the_command_that_helps():
    with pytest.raises(NotIdentified, match="symsrv identify --modules") as caught:
        Minidump().identify(BytesReader(build_minidump()), "crash.dmp")

    assert caught.value.reason == "not-symbols"


@pytest.mark.parametrize("entry", corpus.entries("mdmp"))
def test_sniffs_the_corpus(entry):
    assert Minidump().sniff(entry.path.read_bytes()[:64])
