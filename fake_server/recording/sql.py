"""The Recorder that keeps requests in a SQLite file, so that they survive the process; SQLAlchemy Core, one writer connection."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.dialects.sqlite import insert

from ..checks.finding import Finding
from . import BatchRecord, Recorder, RequestRecord, StoreError, batch_id, remembers

FORMAT: Final = "1"
"""Raised when the tables change; a store of another format is refused."""

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
_seen = sa.Table(
    "seen",
    _metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("source_request_id", sa.Text, primary_key=True),
    sa.Column("request_id", sa.Integer, nullable=False),
    sa.Column("index", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
_about = sa.Table(
    "mparticle_fake",
    _metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

_encode = msgspec.json.encode
_decode_findings = msgspec.json.Decoder(list[Finding]).decode
_decode_batches = msgspec.json.Decoder(list[BatchRecord]).decode


class SqlRecorder(Recorder):
    """Requests in one table, a row each; a batch lies in its request's row.

    One process a file: a lock file beside it is held while the Recorder is open, and freed by the system if the process dies.
    A commit reaches the operating system before `record` returns (WAL, synchronous NORMAL): it survives a killed process.
    """

    def __init__(self, url: str, keep: int = 100_000) -> None:
        super().__init__()
        self.keep = keep
        self._slack = keep // 100
        self.path = Path(url.removeprefix("sqlite:///"))
        if str(self.path) == ":memory:":
            raise ValueError("store is sqlite:///:memory:; use 'memory' for a store that lives in memory.")
        if self.path.is_dir():
            raise StoreError(f"The store {self.path} is a directory; name a file, for example sqlite:///{self.path}/fake.db.")
        if not self.path.parent.is_dir():
            raise StoreError(f"The store {self.path} cannot be made: the directory {self.path.parent} does not exist.")
        self._engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(self.path)), connect_args={"check_same_thread": False, "timeout": 5}
        )
        sa.event.listen(self._engine, "connect", _configure)
        # Not thread-local: the one who closes need not be the one who opened.
        self._lock_file = FileLock(f"{self.path}.lock", thread_local=False)
        self._acquire()
        try:
            self._open()
        except (sa.exc.DatabaseError, sqlite3.Error) as error:
            self._release()
            raise self._failed(error) from error
        except StoreError:
            self._release()
            raise

    def _acquire(self) -> None:
        try:
            self._lock_file.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                f"The store {self.path} is in use by {self._owner()}. "
                "Stop that server, or give this one another file with --store sqlite:///FILE."
            ) from None
        except OSError as error:
            raise StoreError(f"The store {self.path} cannot be locked: {error.strerror or error}.") from error

    def _release(self) -> None:
        self._engine.dispose()
        self._lock_file.release()

    def _owner(self) -> str:
        try:
            with self._engine.connect() as connection:
                owner = connection.scalar(sa.select(_about.c.value).where(_about.c.name == "owner"))
        except (sa.exc.DatabaseError, sqlite3.Error):
            owner = None
        finally:
            self._engine.dispose()
        return owner or "another process"

    def _open(self) -> None:
        tables = set(sa.inspect(self._engine).get_table_names())
        if tables and _about.name not in tables:
            raise StoreError(
                f"The file {self.path} is a database of something else (tables: {', '.join(sorted(tables)[:5])}). "
                "Choose another file with --store sqlite:///FILE."
            )
        _metadata.create_all(self._engine)
        now = datetime.now(UTC).astimezone().isoformat(sep=" ", timespec="seconds")
        with self._engine.begin() as connection:
            about = {name: value for name, value in connection.execute(sa.select(_about))}
            if about.setdefault("format", FORMAT) != FORMAT:
                raise StoreError(
                    f"The store {self.path} has format {about['format']}, this version reads and writes {FORMAT}. "
                    "Choose another file with --store sqlite:///FILE."
                )
            about["owner"] = f"process {os.getpid()} (since {now})"
            connection.execute(sa.delete(_about))
            connection.execute(sa.insert(_about), [{"name": name, "value": value} for name, value in about.items()])
            newest, count, weight = connection.execute(
                sa.select(
                    sa.func.max(_requests.c.id),
                    sa.func.count(),
                    sa.func.sum(sa.func.max(_requests.c.batch_count, 1)),
                )
            ).one()
        self.forgotten = int(about.get("forgotten", "0"))
        # Ids are never used twice, also when the newest requests were forgotten.
        self._last_id = max(int(about.get("last_id", "0")), newest or 0)
        self._weight = weight or 0
        dialect = self._engine.dialect
        self._insert = str(sa.insert(_requests).compile(dialect=dialect))
        self._insert_seen = str(insert(_seen).on_conflict_do_nothing().compile(dialect=dialect))
        self._select_seen = str(
            sa.select(_seen.c.request_id, _seen.c.index)
            .where(_seen.c.key == sa.bindparam("a"), _seen.c.source_request_id == sa.bindparam("b"))
            .compile(dialect=dialect)
        )
        # A pooled connection's own cursor: Core's execution adds 60 µs to the 25 of an insert with its commit.
        self._pooled = self._engine.raw_connection()
        connection_ = self._pooled.dbapi_connection
        assert isinstance(connection_, sqlite3.Connection)
        self._writer: sqlite3.Connection | None = connection_

    def _failed(self, error: sa.exc.DatabaseError | sqlite3.Error) -> StoreError:
        text = str(error.orig if isinstance(error, sa.exc.DatabaseError) else error)
        if "full" in text or "disk I/O" in text:
            advice = "Free some space; nothing that was answered 202 is lost."
        elif "not a database" in text or "malformed" in text:
            advice = "The file is damaged, or not a store of this server: move it away, or choose another with --store sqlite:///FILE."
        elif "unable to open" in text or "readonly" in text:
            advice = "Check that the file and its directory can be written."
        else:
            advice = "Choose another file with --store sqlite:///FILE if this stays."
        return StoreError(f"The store {self.path} failed: {text}. {advice}")

    def record(self, requests: list[RequestRecord]) -> None:
        with self.lock:
            writer = self._writer
            if writer is None:
                raise StoreError(f"The store {self.path} is closed.")
            next_id = self._last_id
            weight = self._weight
            try:
                for record in requests:
                    next_id += 1
                    weight += record.weight
                    record.id = next_id
                    writer.execute(
                        self._insert,
                        (
                            next_id,
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
                            _encode(record.findings).decode() if record.findings else "[]",
                            _encode(record.batches).decode(),
                            record.headers,
                            record.body,
                        ),
                    )
                    for index, batch in enumerate(record.batches):
                        if batch.source_request_id is not None and remembers(batch.verdict):
                            writer.execute(self._insert_seen, (record.key, batch.source_request_id, next_id, index))
                forgotten = 0
                if weight > self.keep + self._slack:
                    weight, forgotten = self._trim(writer, weight, next_id)
                writer.commit()
            except sqlite3.Error as error:
                with contextlib.suppress(sqlite3.Error):
                    writer.rollback()
                raise self._failed(error) from error
            self._last_id = next_id
            self._weight = weight
            self.forgotten += forgotten
        self._notify()

    def _trim(self, writer: sqlite3.Connection, weight: int, newest: int) -> tuple[int, int]:
        """Delete the oldest requests until `keep` holds, all but the newest; returns the weight left and the batches deleted."""
        cut = forgotten = 0
        for id, count in writer.execute("SELECT id, batch_count FROM requests ORDER BY id"):
            if weight <= self.keep or id == newest:
                break
            cut = id
            weight -= max(count, 1)
            forgotten += count
        writer.execute("DELETE FROM requests WHERE id <= ?", (cut,))
        writer.execute("DELETE FROM seen WHERE request_id <= ?", (cut,))
        self._note(writer, "forgotten", self.forgotten + forgotten)
        return weight, forgotten

    @staticmethod
    def _note(writer: sqlite3.Connection, name: str, value: int) -> None:
        writer.execute("INSERT OR REPLACE INTO mparticle_fake (name, value) VALUES (?, ?)", (name, str(value)))

    def requests(self, after: int = 0) -> Iterator[RequestRecord]:
        while True:
            query = sa.select(_requests).where(_requests.c.id > after).order_by(_requests.c.id).limit(200)
            page = self._read(query)
            if not page:
                return
            yield from page
            after = page[-1].id

    def request(self, id: int) -> RequestRecord | None:
        if not 0 < id < 2**63:
            return None
        found = self._read(sa.select(_requests).where(_requests.c.id == id))
        return found[0] if found else None

    def _read(self, query: sa.Select[Any]) -> list[RequestRecord]:
        # A page at a time, so that no long read keeps the write-ahead log from being folded back into the file.
        try:
            with self._engine.connect() as connection:
                return [_to_record(row) for row in connection.execute(query)]
        except sa.exc.DatabaseError as error:
            raise self._failed(error) from error

    def duplicate_of(self, key: str, source_request_id: str) -> str | None:
        with self.lock:
            if self._writer is None:
                raise StoreError(f"The store {self.path} is closed.")
            try:
                found = self._writer.execute(self._select_seen, (key, source_request_id)).fetchone()
            except sqlite3.Error as error:
                raise self._failed(error) from error
        return batch_id(found[0], found[1]) if found else None

    def last_id(self) -> int:
        return self._last_id

    def forget(self, workspace: str | None = None) -> int:
        requests, seen = sa.delete(_requests), sa.delete(_seen)
        which = sa.true() if workspace is None else _requests.c.workspace == workspace
        ids = sa.select(_requests.c.id).where(which)
        with self.lock:
            try:
                with self._engine.begin() as connection:
                    count, weight = connection.execute(
                        sa.select(
                            sa.func.sum(_requests.c.batch_count), sa.func.sum(sa.func.max(_requests.c.batch_count, 1))
                        ).where(which)
                    ).one()
                    connection.execute(seen.where(_seen.c.request_id.in_(ids)))
                    connection.execute(requests.where(which))
                    connection.execute(
                        insert(_about)
                        .values(name="last_id", value=str(self._last_id))
                        .on_conflict_do_update(index_elements=["name"], set_={"value": str(self._last_id)})
                    )
            except sa.exc.DatabaseError as error:
                raise self._failed(error) from error
            self._weight -= weight or 0
        return count or 0

    def close(self) -> None:
        with self.lock:
            if self._writer is None:
                return
            self._writer = None
            self._pooled.close()
            self._release()


def _configure(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _to_record(row: sa.Row[Any]) -> RequestRecord:
    return RequestRecord(
        received_at_ms=row.received_at_ms,
        workspace=row.workspace,
        key=row.key,
        source=row.source,
        dialect=row.dialect,
        method=row.method,
        path=row.path,
        query=row.query,
        remote=row.remote,
        headers=row.headers,
        status=row.status,
        body=row.body,
        findings=_decode_findings(row.findings),
        batches=_decode_batches(row.batches),
        id=row.id,
    )
