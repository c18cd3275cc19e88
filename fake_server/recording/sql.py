"""The Recorder that keeps requests in a SQLite file, so that they survive the process; SQLAlchemy Core, one writer connection."""

import contextlib
import os
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import sqlalchemy as sa
from filelock import FileLock, Timeout

from ..checks.finding import Finding
from . import PAGE_BYTES, BatchRecord, Recorder, RequestRecord, StoreError

FORMAT: Final = "1"
"""Raised when the tables change; a store of another format is refused."""

RECENT: Final = 4000
RECENT_BYTES: Final = 16_000_000
"""How many requests, with how long bodies, are also kept in memory at most."""

ANOTHER_FILE: Final = "choose another file with --store sqlite:///FILE"

_metadata = sa.MetaData()
# The body is the last column: SQLite reads the others without touching its overflow pages.
_requests = sa.Table(
    "requests",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("received_at_ms", sa.BigInteger, nullable=False),
    sa.Column("workspace", sa.Text),
    sa.Column("key", sa.Text),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("dialect", sa.Text, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("remote", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("batch_count", sa.Integer, nullable=False),
    sa.Column("findings", sa.Text, nullable=False),
    sa.Column("batches", sa.Text, nullable=False),
    sa.Column("headers", sa.LargeBinary, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
_fields: Final = [_requests.c[name] for name in RequestRecord.__struct_fields__ if name in _requests.c]
_about = sa.Table(
    "mparticle_fake",
    _metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

_encode = msgspec.json.encode
_decode_findings = msgspec.json.Decoder(tuple[Finding, ...]).decode
_decode_batches = msgspec.json.Decoder(tuple[BatchRecord, ...]).decode

_FAILURES: Final = (sa.exc.DBAPIError, sqlite3.Error)
_DAMAGE: Final = (msgspec.MsgspecError, ValueError, TypeError)
"""What reading a row raises that holds something else than was written."""

_ADVICE: Final = (
    (("full", "disk I/O"), "Free some space, or see whether the disk works; nothing that was answered 202 is lost."),
    (
        ("not a database", "malformed", "too big", "UTF-8"),
        f"The file is damaged, or no store of this server: move it away, or {ANOTHER_FILE}.",
    ),
    (("unable to open", "readonly"), "See to it that the file and its directory can be written."),
    (("locked",), "Another program writes to it: close that program."),
    (("",), f"If this stays, {ANOTHER_FILE}."),
)


class SqlRecorder(Recorder):
    """Requests in one table, a row each; a batch lies in its request's row.

    One process a file: a lock file beside it is held while the Recorder is open, and freed by the system if the process dies.
    A commit reaches the operating system before `record` returns (WAL, synchronous NORMAL): it survives a killed process.
    """

    def __init__(self, url: str, keep: int = 100_000) -> None:
        super().__init__(keep)
        self.path = _path(url)
        self._engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(self.path)), connect_args={"check_same_thread": False, "timeout": 5}
        )
        sa.event.listen(self._engine, "connect", _configure)
        # Not thread-local: the one who closes need not be the one who opened.
        self._lock_file = FileLock(f"{self.path}.lock", thread_local=False)
        self._acquire()
        self._connection: sa.Connection | None = None
        # What was committed last, without a gap: all who watch read these; the file has them too.
        self._recent: list[RequestRecord] = []
        self._recent_bytes = 0
        try:
            self._check()
            self._connection = self._engine.connect()
            self._open(self._connection)
        except BaseException as error:
            self.close()
            if isinstance(error, (*_FAILURES, *_DAMAGE)):
                raise self._failed(error) from error
            raise

    # -- opening and closing -----------------------------------------------------------------------------------------------

    def _acquire(self) -> None:
        try:
            self._lock_file.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                f"The store {self.path} is in use by {self._owner()}. Stop that server, or {ANOTHER_FILE} for this one."
            ) from None
        except OSError as error:
            raise StoreError(
                f"The store {self.path} cannot be locked: {error.strerror or error}. See to it that its directory can be written."
            ) from error

    def _owner(self) -> str:
        try:
            with self._engine.connect() as connection:
                owner = connection.scalar(sa.select(_about.c.value).where(_about.c.name == "owner"))
        except _FAILURES:
            owner = None
        finally:
            self._engine.dispose()
        return owner or "another process"

    def _check(self) -> None:
        """Raise StoreError if the file is not ours; before anything is written to it."""
        tables = set(sa.inspect(self._engine).get_table_names())
        if not tables:
            return
        if _about.name not in tables:
            raise StoreError(
                f"The file {self.path} is a database of something else (tables: {', '.join(sorted(tables)[:5])}); {ANOTHER_FILE}."
            )
        with self._engine.connect() as connection:
            found = connection.scalar(sa.select(_about.c.value).where(_about.c.name == "format"))
        if found not in (None, FORMAT):
            raise StoreError(f"The store {self.path} has format {found}, this version reads and writes {FORMAT}; {ANOTHER_FILE}.")

    def _open(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        _metadata.create_all(connection)
        now = datetime.now(UTC).astimezone().isoformat(sep=" ", timespec="seconds")
        _note(connection, "format", FORMAT)
        _note(connection, "owner", f"process {os.getpid()} (since {now})")
        connection.commit()
        about = {row.name: row.value for row in connection.execute(sa.select(_about))}
        self.forgotten = int(about.get("forgotten", 0))
        kept = sa.select(_requests.c.id, _requests.c.key, _requests.c.batches).order_by(_requests.c.id)
        for id, key, text in connection.execute(kept):
            try:
                batches = _decode_batches(text)
            except _DAMAGE as error:
                raise self._malformed(id, error) from error
            self._weight += len(batches) or 1
            self._remember(id, key, batches)
            self._last_id = id
        # Ids are never used twice, also when the newest requests were forgotten.
        self._last_id = max(self._last_id, int(about.get("last_id", 0)))
        _note(connection, "forgotten", str(self.forgotten))
        connection.commit()
        # `record` uses the driver: Core's execution would add 60 µs to the 25 of an insert with its commit.
        self._driver = cast(sqlite3.Connection, connection.connection.dbapi_connection)
        self._insertion = str(sa.insert(_requests).compile(dialect=self._engine.dialect))

    def close(self) -> None:
        with self.lock:
            connection, self._connection = self._connection, None
            try:
                if connection is not None:
                    connection.close()
                self._engine.dispose()
            finally:
                self._lock_file.release()

    def _connected(self) -> sa.Connection:
        if self._connection is None:
            raise StoreError(f"The store {self.path} is closed.")
        return self._connection

    def _failed(self, error: Exception) -> StoreError:
        text = str(error.orig if isinstance(error, sa.exc.DBAPIError) else error)
        if isinstance(error, _DAMAGE):
            text = f"a row is malformed ({text})"
        return self._told(text)

    def _malformed(self, id: int, error: Exception) -> StoreError:
        return self._told(f"a row is malformed (request {id}: {error})")

    def _told(self, text: str) -> StoreError:
        advice = next(advice for words, advice in _ADVICE if any(word in text for word in words))
        return StoreError(f"The store {self.path} failed: {text}. {advice}")

    # -- writing -----------------------------------------------------------------------------------------------------------

    def record(self, requests: list[RequestRecord]) -> None:
        with self.lock:
            self._connected()
            next_id = self._last_id
            weight = self._weight
            gone = cut = 0
            try:
                for record in requests:
                    next_id += 1
                    record.id = next_id
                    weight += record.weight
                    self._insert(record)
                if self._is_too_heavy(weight):
                    cut, weight, gone = self._trim(weight, next_id)
                self._driver.commit()
            except BaseException as error:
                with contextlib.suppress(sqlite3.Error):
                    self._driver.rollback()
                if isinstance(error, _FAILURES):
                    raise self._failed(error) from error
                raise
            self._weight = weight
            self.forgotten += gone
            for record in requests:
                self._remember(record.id, record.key, record.batches)
            kept = requests
            if cut:
                # Before the pages: one that is made meanwhile must not be of what goes.
                self._recent = self._recent[bisect_right(self._recent, cut, key=attrgetter("id")) :]
                self._unremember(cut)
                kept = [record for record in requests if record.id > cut]
            self._show(kept)
            # Last: whoever sees the new id finds the requests.
            self._last_id = next_id
        self._notify()

    def _show(self, requests: list[RequestRecord]) -> None:
        size = sum([len(record.body) for record in requests])
        recent = self._recent
        if len(recent) + len(requests) > RECENT or self._recent_bytes + size > RECENT_BYTES:
            # The newer half stays: those who watch are somewhere in it.
            self._recent = recent = recent[len(recent) // 2 + 1 :]
            self._recent_bytes = sum([len(record.body) for record in recent])
            if self._recent_bytes + size > RECENT_BYTES:
                self._recent = recent = []
        if not recent:
            self._recent_bytes = 0
        if size <= RECENT_BYTES:
            recent += requests
            self._recent_bytes += size

    def _insert(self, record: RequestRecord) -> None:
        try:
            self._driver.execute(self._insertion, _to_row(record))
        except UnicodeEncodeError:
            _replace_lone_surrogates(record)
            self._driver.execute(self._insertion, _to_row(record))

    def _trim(self, weight: int, newest: int) -> tuple[int, int, int]:
        with contextlib.closing(self._driver.execute("SELECT id, batch_count FROM requests ORDER BY id")) as oldest:
            cut, weight, gone = self._excess(oldest, weight, newest)
        self._driver.execute("DELETE FROM requests WHERE id <= ?", (cut,))
        self._driver.execute("UPDATE mparticle_fake SET value = ? WHERE name = 'forgotten'", (str(self.forgotten + gone),))
        return cut, weight, gone

    def forget(self, workspace: str | None = None) -> int:
        which = sa.true() if workspace is None else _requests.c.workspace == workspace
        with self.lock:
            connection = self._connected()
            try:
                with connection.begin():
                    rows = connection.execute(sa.select(_requests.c.id, _requests.c.batch_count).where(which)).all()
                    connection.execute(sa.delete(_requests).where(which))
                    _note(connection, "last_id", str(self._last_id))
            except _FAILURES as error:
                raise self._failed(error) from error
            self._weight -= sum(count or 1 for _, count in rows)
            # Before the pages: one that is made meanwhile must not be of what has gone.
            self._recent = []
            self._unremember_all({id for id, _ in rows})
        return sum(count for _, count in rows)

    # -- reading -----------------------------------------------------------------------------------------------------------

    def requests(self, after: int = 0) -> Iterator[RequestRecord]:
        while after < self._last_id:
            self._connected()
            recent = self._recent
            if recent and after >= recent[0].id - 1:
                start = bisect_right(recent, after, key=attrgetter("id"))
                page = recent[start : start + 200]
            else:
                page = self._read(_requests.c.id > after)
            if not page:
                return
            yield from page
            after = page[-1].id

    def request(self, id: int) -> RequestRecord | None:
        self._connected()
        found = self._read(_requests.c.id == id) if 0 < id <= self._last_id else None
        return found[0] if found else None

    def _read(self, which: sa.ColumnElement[bool]) -> list[RequestRecord]:
        # A page at a time, so that no long read keeps the write-ahead log from being folded back into the file.
        query = sa.select(*_fields).where(which).order_by(_requests.c.id).limit(200)
        try:
            with self._engine.connect() as connection, connection.execute(query.execution_options(yield_per=20)) as rows:
                page: list[RequestRecord] = []
                size = 0
                for row in rows:
                    page.append(self._record_of(row))
                    size += len(page[-1].body)
                    if size > PAGE_BYTES:
                        break
                return page
        except (*_FAILURES, *_DAMAGE) as error:
            raise self._failed(error) from error

    def _record_of(self, row: Any) -> RequestRecord:
        record = RequestRecord(*row)
        try:
            record.findings = _decode_findings(row.findings)
            record.batches = _decode_batches(row.batches)
        except _DAMAGE as error:
            raise self._malformed(record.id, error) from error
        return record


def _path(url: str) -> Path:
    """The file of a `sqlite:///` URL. Raises StoreError, ValueError."""
    name = url.removeprefix("sqlite:///")
    if name == ":memory:":
        raise ValueError("store is sqlite:///:memory:; use 'memory' for a store that lives in memory.")
    try:
        # Resolved: a link to the file must lead to the same lock, and a later chdir not to another file.
        path = Path(name).expanduser().resolve()
        if path.is_dir():
            raise StoreError(f"The store {path} is a directory; name a file, for example sqlite:///{path}/fake.db.")
        if path.exists() and not path.is_file():
            raise StoreError(f"The store {path} is no regular file; {ANOTHER_FILE}.")
        if path.exists() and path.stat().st_nlink > 1:
            # SQLite keeps what was written last in a file of the same name, and the lock has that name too.
            raise StoreError(
                f"The store {path} has another name too (a hard link): what is written by the one would be missing by the other. "
                f"Copy it, or {ANOTHER_FILE}."
            )
        if not path.parent.is_dir():
            raise StoreError(f"The store {path} cannot be made: the directory {path.parent} does not exist.")
    except (OSError, RuntimeError, ValueError) as error:
        raise StoreError(f"The store {name!r} cannot be used: {error}; {ANOTHER_FILE}.") from error
    return path


def _configure(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")


def _note(connection: sa.Connection, name: str, value: str) -> None:
    connection.execute(sa.delete(_about).where(_about.c.name == name))
    connection.execute(sa.insert(_about).values(name=name, value=value))


def _to_row(record: RequestRecord) -> tuple[Any, ...]:
    return (
        record.id,
        record.received_at_ms,
        record.workspace,
        record.key,
        record.source,
        record.dialect,
        record.method,
        record.path,
        record.query,
        record.remote,
        record.status,
        len(record.batches),
        _encode(record.findings).decode(),
        _encode(record.batches).decode(),
        record.headers,
        record.body,
    )


def _replace_lone_surrogates(record: RequestRecord) -> None:
    for name, value in msgspec.structs.asdict(record).items():
        if isinstance(value, str):
            setattr(record, name, value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
