"""A symbol server with quirks, for tests: a folder, and what is odd about it. A new quirk is a function and a line.

The functions stand in `quirks.py`; `symsrv fake-upstream` runs the server.
"""

from symsrv.mirror.faking import quirks
from symsrv.mirror.faking.base import Quirk
from symsrv.mirror.faking.server import FakeUpstream

QUIRKS: dict[str, Quirk] = {
    "slow-first-byte": Quirk(quirks.slow_first_byte, "2s"),
    "trickle": Quirk(quirks.trickle, "100"),
    "stall": Quirk(quirks.stall, "1"),
    "reset": Quirk(quirks.reset, "1"),
    "wrong-length": Quirk(quirks.wrong_length, "always"),
    "short-length": Quirk(quirks.short_length),
    "html": Quirk(quirks.html),
    "html-for-absent": Quirk(quirks.html_for_absent),
    "sign-in": Quirk(quirks.sign_in),
    "203": Quirk(quirks.status_203),
    "forbidden": Quirk(quirks.forbidden),
    "errors": Quirk(quirks.errors, "2"),
    "busy": Quirk(quirks.busy, "1s"),
    "redirect": Quirk(quirks.redirect),
    "redirect-loop": Quirk(quirks.redirect_loop),
    "redirect-endless": Quirk(quirks.redirect_endless),
    "redirect-private": Quirk(quirks.redirect_private, "http://10.0.0.1/"),
    "gzip": Quirk(quirks.gzipped),
    "gzip-lie": Quirk(quirks.gzip_lie),
    "gzip-unsaid": Quirk(quirks.gzip_unsaid),
    "gzip-cut": Quirk(quirks.gzip_cut),
    "encoding-unknown": Quirk(quirks.encoding_unknown),
    "cab-only": Quirk(quirks.cab_only),
    "two-tier": Quirk(quirks.two_tier),
    "wrong-file": Quirk(quirks.wrong_file),
    "case-sensitive": Quirk(quirks.case_sensitive),
    "range-ignored": Quirk(quirks.range_ignored),
    "range-wrong": Quirk(quirks.range_wrong),
    "range-lie": Quirk(quirks.range_lie),
    "changing": Quirk(quirks.changing),
    "no-validator": Quirk(quirks.no_validator),
    "chunked": Quirk(quirks.chunked),
    "no-length": Quirk(quirks.no_length),
    "empty": Quirk(quirks.empty),
    "tls": Quirk(quirks.tls, tls=True),
    "ntlm": Quirk(quirks.ntlm),
    "basic": Quirk(quirks.basic, "bWU6c2VjcmV0"),
}

__all__ = ["QUIRKS", "FakeUpstream", "Quirk"]
