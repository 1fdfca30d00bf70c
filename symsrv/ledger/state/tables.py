"""The state's tables: what cannot be made again. They change by numbered steps and are never dropped.

Times are microseconds since 1970 (UTC). `docs/state.md` says what each table holds and what of it can be lost.
"""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, SmallInteger, Table, Text
from sqlalchemy.sql.elements import ColumnElement

from symsrv.ledger.schema import Schema, StateError, Step
from symsrv.ledger.tables import KEY, ROW

NUMBER = 1
PREFIX = "symsrv_state_"

metadata = MetaData()

meta = Table(
    f"{PREFIX}meta",
    metadata,
    Column("name", KEY, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

marks = Table(
    f"{PREFIX}marks",
    metadata,
    Column("name", KEY, primary_key=True),
    Column("number", BigInteger),
    Column("text", Text),
    Column("at", BigInteger, nullable=False),
)

followed = Table(
    f"{PREFIX}followed",
    metadata,
    Column("upstream", KEY, primary_key=True),
    Column("key", KEY, primary_key=True),  # model.wants.want_key
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Index(f"{PREFIX}followed_number", "upstream", "number"),
    sqlite_with_rowid=False,
)

wants = Table(
    f"{PREFIX}wants",
    metadata,
    Column("id", ROW, primary_key=True),
    Column("key", KEY, nullable=False, unique=True),  # model.wants.want_key
    Column("wants", Text, nullable=False),
    Column("ids", Text, nullable=False),  # JSON
    Column("name", Text),
    Column("words", Text, nullable=False),  # name, ids and path, folded, one a line, for searches
    Column("state", KEY, nullable=False),
    Column("urgent", SmallInteger, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("who", Text, nullable=False),  # JSON, the newest last
    Column("path", Text),
    Column("version", Text),
    Column("rounds", Integer, nullable=False),
    Column("reason", Text),
    Column("until", BigInteger),  # when a resting one wakes, or a claim ends
    Column("worker", Text),
    Column("answered", BigInteger),
    # The order of the queue, within each state: `claim` and `list` read it from its end.
    Index(f"{PREFIX}wants_order", "state", "urgent", "waiting", "count", "last", "id"),
    Index(f"{PREFIX}wants_until", "state", "until"),
    sqlite_autoincrement=True,
)

ORDER: tuple[ColumnElement[int], ...] = (
    wants.c.urgent,
    wants.c.waiting,
    wants.c.count,
    wants.c.last,
    wants.c.id,
)
"""What is most wanted, its last first: urgent, then how many reports wait, then how often, then how lately."""

want_ids = Table(
    f"{PREFIX}want_ids",
    metadata,
    Column("value", KEY, primary_key=True),
    Column("kind", KEY, primary_key=True),
    Column("want", ROW, ForeignKey(wants.c.id, ondelete="CASCADE"), primary_key=True, index=True, autoincrement=False),
    sqlite_with_rowid=False,
)

rests = Table(
    f"{PREFIX}rests",
    metadata,
    Column("upstream", KEY, primary_key=True),
    Column("key", KEY, primary_key=True, index=True),  # model.wants.want_key
    Column("name", Text, nullable=False),
    Column("words", Text, nullable=False),  # name and key, folded, for searches
    Column("until", BigInteger),  # null: until somebody clears it
    Column("rounds", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("skip", SmallInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(f"{PREFIX}rests_skip", "skip", "upstream", "key"),
    Index(f"{PREFIX}rests_until", "until"),
    sqlite_with_rowid=False,
)

lists = Table(
    f"{PREFIX}lists",
    metadata,
    Column("id", ROW, primary_key=True),
    Column("list", KEY, nullable=False),
    Column("upstream", KEY, nullable=False),  # empty: all
    Column("pattern", KEY, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Index(f"{PREFIX}lists_once", "list", "upstream", "pattern", unique=True),
    sqlite_autoincrement=True,
)

reports = Table(
    f"{PREFIX}reports",
    metadata,
    Column("id", ROW, primary_key=True),
    Column("digest", KEY, nullable=False, unique=True),  # of name, origin and the keys of its wants
    Column("name", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("words", Text, nullable=False),  # name and origin, folded, for searches
    Column("data", Text, nullable=False),  # JSON
    Column("created", BigInteger, nullable=False),
    Column("completed", BigInteger),  # when the last of its wants was answered or given up
    Column("told", BigInteger),
    Index(f"{PREFIX}reports_ready", "told", "completed", "id"),
    sqlite_autoincrement=True,
)

report_wants = Table(
    f"{PREFIX}report_wants",
    metadata,
    Column("report", ROW, ForeignKey(reports.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("want", ROW, ForeignKey(wants.c.id, ondelete="CASCADE"), primary_key=True, index=True, autoincrement=False),
    sqlite_with_rowid=False,
)

upstreams = Table(
    f"{PREFIX}upstreams",
    metadata,
    Column("name", KEY, primary_key=True),
    Column("options", Text, nullable=False),  # JSON, no secrets
    Column("created", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
)

attempts = Table(
    f"{PREFIX}attempts",
    metadata,
    Column("id", ROW, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("upstream", KEY, nullable=False),
    Column("want", BigInteger),  # which may have been forgotten
    Column("key", KEY, nullable=False),  # model.wants.want_key
    Column("name", Text, nullable=False),
    Column("words", Text, nullable=False),  # name, key, address and reason, folded, for searches
    Column("address", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("outcome", KEY, nullable=False),
    Column("reason", Text, nullable=False),
    Column("status", Integer),
    Column("bytes", BigInteger, nullable=False),
    Column("milliseconds", BigInteger),
    Column("tool", Text),
    Index(f"{PREFIX}attempts_upstream", "upstream", "id"),
    Index(f"{PREFIX}attempts_key", "key", "id"),
    sqlite_autoincrement=True,
)

counters = Table(
    f"{PREFIX}counters",
    metadata,
    Column("upstream", KEY, primary_key=True),
    Column("name", KEY, primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

breakers = Table(
    f"{PREFIX}breakers",
    metadata,
    Column("host", KEY, primary_key=True),
    Column("state", Text, nullable=False),
    Column("failures", Text, nullable=False),  # JSON: when the last ones were, in a row
    Column("opened", Integer, nullable=False),  # how often in a row
    Column("until", BigInteger),  # when an open one lets a probe through, or that probe is given up
    Column("reason", Text, nullable=False),
    Column("changed", BigInteger, nullable=False),
)

spending = Table(
    f"{PREFIX}spending",
    metadata,
    Column("day", KEY, primary_key=True),  # of UTC, as 2026-11-28
    Column("upstream", KEY, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

events = Table(
    f"{PREFIX}events",
    metadata,
    Column("id", ROW, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("kind", KEY, nullable=False),
    Column("once", KEY, unique=True),  # what happened, where it must not be told twice
    Column("data", Text, nullable=False),  # JSON
    sqlite_autoincrement=True,
)

STEPS: Mapping[int, Step] = {}
"""What brings a database to each number from the one before it; a released step is never changed."""

STATE = Schema(
    prefix=PREFIX,
    number=NUMBER,
    metadata=metadata,
    meta=meta,
    error=StateError,
    mend="restore it from a backup",
    first={"lists": 0, "upstreams": 0},
    kept=True,
    steps=STEPS,
)
