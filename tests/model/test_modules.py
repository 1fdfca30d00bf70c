"""Modules and their record."""

import json

from symsrv.model.ids import SymbolId
from symsrv.model.modules import Module


def test_record_has_every_field_but_the_normal_forms():
    one = Module(
        "a.so", "/lib/a.so", (SymbolId("build", "ab"),), (SymbolId("build", "ab"),), code_id="ab", base=1, size=2
    )

    record = one.to_record()

    assert list(record) == [
        "name",
        "path",
        "code_id",
        "debug_id",
        "debug_file",
        "build_id",
        "version",
        "base",
        "size",
    ]
    assert json.loads(json.dumps(record)) == record
    assert (record["code_id"], record["debug_id"], record["base"]) == ("ab", None, 1)
