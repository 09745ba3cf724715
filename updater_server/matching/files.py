"""Suppliers' own files, kept as they came: what a day is held against, whenever it is looked at
again. For the runs and the command line.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from updater_server.errors import InputError
from updater_server.fleet import operators
from updater_server.sales import statements, supplier_setup
from updater_server.sales.suppliers.base import NotAReport, StatementLine
from updater_server.server_key import ServerKey
from updater_server.store.tables import supplier_file

SIZE_LIMIT_BYTES = 64 << 20


def take(
    connection: Connection,
    key: ServerKey,
    supplier: str,
    data: bytes,
    name: str,
    operator: str,
    now: int,
) -> statements.Found:
    """Keep a supplier's file and let it decide what is open. The same one again changes nothing.

    Raises:
        InputError: no such supplier, or the file is none of its, not whole, or too large.
        VaultError: the supplier's secrets do not open.
    """
    if len(data) > SIZE_LIMIT_BYTES:
        raise InputError(f"{name}: over {SIZE_LIMIT_BYTES >> 20} MiB: ask for a day at a time")
    found = statements.take(connection, key, supplier, data, now)
    digest = hashlib.sha256(data).digest()
    known = select(supplier_file.c.id).where(
        supplier_file.c.supplier == supplier, supplier_file.c.sha256 == digest
    )
    if connection.scalar(known) is None:
        covers = statements.read(connection, key, supplier, data)
        connection.execute(
            insert(supplier_file).values(
                supplier=supplier,
                sha256=digest,
                since=covers.since,
                until=covers.until,
                name=operators.words(name, 200),
                content=data,
                taken_by=operator,
                taken_at=now,
            )
        )
    return found


@dataclass(frozen=True)
class Told:
    """What a supplier's files say of a time. Where two speak of the same moment the newer one
    counts.
    """

    digests: tuple[str, ...]
    """Of the files that say it, the oldest first."""
    spans: tuple[tuple[int, int], ...]
    """Of which times they speak; from the first up to, and without, the second."""
    lines: tuple[StatementLine, ...]

    def covers(self, since: int, until: int) -> bool:
        """Whether they speak of every moment from `since` up to `until`."""
        at = since
        for begins, ends in sorted(self.spans):
            if begins <= at < ends:
                at = ends
        return at >= until


def told(
    connection: Connection, key: ServerKey, supplier: str, since: int, until: int, through: int
) -> Told:
    """What a supplier says of a time in its files up to the one with the id `through`.

    Raises:
        VaultError: the supplier's secrets do not open.
    """
    rows = connection.execute(
        select(supplier_file)
        .where(supplier_file.c.supplier == supplier, supplier_file.c.id <= through)
        .where(supplier_file.c.until > since, supplier_file.c.since < until)
        .order_by(supplier_file.c.id)
    ).all()
    kept = supplier_setup.kept(connection, key, supplier)
    if kept is None:
        return Told((), (), ())
    read = []
    for row in rows:
        try:
            read.append((row, kept.adapter().read_statement(row.content)))
        except (NotAReport, InputError):  # it is set up as another one now
            continue
    lines = [
        line
        for number, (_, statement) in enumerate(read)
        for line in statement.lines
        if since <= line.at < until
        and not any(newer.since <= line.at < newer.until for newer, _ in read[number + 1 :])
    ]
    return Told(
        tuple(row.sha256.hex() for row, _ in read),
        tuple((row.since, row.until) for row, _ in read),
        tuple(lines),
    )
