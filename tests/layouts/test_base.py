"""The contract's own module holds no behaviour: what it promises is tested over the table."""

from symsrv.layouts import LAYOUTS
from symsrv.layouts.base import Layout


def test_every_member_keeps_to_the_protocol():
    members: tuple[Layout, ...] = LAYOUTS

    assert all(member.name and callable(member.parse) and callable(member.paths) for member in members)
