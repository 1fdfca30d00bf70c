"""The index's tables. Another version of them is another number: the old ones are dropped, since all is derived."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, SmallInteger, Table, Text
from sqlalchemy.types import TypeEngine

from symsrv.ledger.schema import LedgerError, Schema

SCHEMA = 4
PREFIX = "symsrv_index_"

# Keys compare byte by byte everywhere, whatever locale a PostgreSQL was made with.
KEY: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
# A rowid in SQLite has to be called INTEGER.
ROW: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

meta = Table(
    f"{PREFIX}meta",
    metadata,
    Column("name", KEY, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

files = Table(
    f"{PREFIX}files",
    metadata,
    Column("id", ROW, primary_key=True, autoincrement=False),
    Column("home", KEY, nullable=False, unique=True),
    Column("names", Text, nullable=False),  # folded, one a line, for `symsrv find`
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text),
    Column("modified_ns", BigInteger),
    Column("identities", Text, nullable=False),  # JSON
    Column("freed", SmallInteger, nullable=False),  # 1 once its last holder was deleted
    Column("encoding", Text),  # how the bytes are compressed; then the two below are the plain file's
    Column("plain_size", BigInteger),
    Column("plain_sha256", Text),
)

ids = Table(
    f"{PREFIX}ids",
    metadata,
    Column("value", KEY, primary_key=True),
    Column("kind", KEY, primary_key=True),
    Column("file", ROW, ForeignKey(files.c.id, ondelete="CASCADE"), primary_key=True, index=True, autoincrement=False),
    Column("name", KEY, primary_key=True),  # folded; empty where the file's place does not tell it
    Column("role", Text, nullable=False),
    Column("also", SmallInteger, nullable=False),  # 1 where it is not the file's own id, but one it can be found by
    Index(f"{PREFIX}ids_name", "name", "file"),
    sqlite_with_rowid=False,
)

transactions = Table(
    f"{PREFIX}transactions",
    metadata,
    Column("number", ROW, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("at", Text, nullable=False),  # UTC, ISO 8601
    Column("local_stamp", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("tag", Text),
    Column("who", Text),
    Column("host", Text),
    Column("foreign_tool", SmallInteger, nullable=False),
    Column("files", Integer, nullable=False),
    Column("deleted_by", BigInteger),
    Column("words", Text, nullable=False),  # product, version, comment and tag, folded, one a line
)

deletes = Table(
    f"{PREFIX}deletes",
    metadata,
    Column("deleted", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
)

entries = Table(
    f"{PREFIX}entries",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("home", KEY, nullable=False),
    Column("holds", SmallInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text),
    Column("kept_sha256", Text),
    Column("modified_ns", BigInteger),
    Column("symbol_kind", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("handle", Text),
    Column("encoding", Text),
    Column("plain_size", BigInteger),
    Column("plain_sha256", Text),
    Index(f"{PREFIX}entries_home", "home", "number"),
    sqlite_with_rowid=False,
)

INDEX = Schema(
    prefix=PREFIX,
    number=SCHEMA,
    metadata=metadata,
    meta=meta,
    error=LedgerError,
    mend="remove the file, it is made again from the store",
    first={"applied": 0, "revision": 0},
    one_writer=True,
)
