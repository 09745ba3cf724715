"""The voucher vault: PINs sealed at rest, each given away once. For `sales.switch`, `sales.stock`
and the command line.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, or_, select, update

from updater_server import limits
from updater_server.errors import InputError, VaultError
from updater_server.fleet.alarms import raise_alarm
from updater_server.server_key import ServerKey
from updater_server.tables import voucher, voucher_set_aside

IMPORT_LIMIT_BYTES = 64 * 1024 * 1024
_UNFIT_LIMIT = 500
"""Vouchers that one request may set aside; the next request goes on."""
_COLUMNS = ["product", "pin", "serial", "expiry"]


class Voucher(NamedTuple):
    """An opened voucher. Never log it."""

    voucher_id: int
    product_id: str
    pin: str
    serial: str
    expires_at: int

    def __repr__(self) -> str:
        return f"Voucher({self.product_id}, serial {self.serial}, PIN hidden)"


def _context(product_id: str, serial: str) -> bytes:
    return f"{product_id}\0{serial}".encode()


def _expiry(text: str) -> int:
    if text in ("", "0"):
        return 0
    if text.isdecimal():
        return int(text)
    return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) + 86399


def import_csv(connection: Connection, key: ServerKey, text: str, now: int) -> int:
    """Take in a delivery: CSV with the header `product,pin,serial,expiry`; returns how many
    vouchers came in.

    Expiry: empty or 0 for none, a day (2027-01-31, valid to its end, UTC), or Unix seconds. All
        rows or none.

    Raises:
        InputError: a row is wrong, or a PIN or serial is in the vault (or earlier in the file)
            already; the text names the line, never a PIN.
    """
    if len(text) > IMPORT_LIMIT_BYTES:
        raise InputError("the file is over 64 MiB: split it")
    rows = csv.DictReader(io.StringIO(text), strict=True)
    if rows.fieldnames != _COLUMNS:
        raise InputError(f"the first line must be {','.join(_COLUMNS)}")
    count = 0
    try:
        for row in rows:
            line = rows.line_num
            if None in row or None in row.values():
                raise InputError(f"line {line}: {len(_COLUMNS)} columns are needed")
            product_id, pin, serial = row["product"], row["pin"].replace(" ", ""), row["serial"]
            if not limits.PRODUCT_ID_PATTERN.fullmatch(product_id):
                raise InputError(f"line {line}: {product_id!r} is no product id")
            if not limits.PIN_PATTERN.fullmatch(pin):
                raise InputError(f"line {line}: a PIN has 4 to 32 digits or capital letters")
            if not limits.SERIAL_PATTERN.fullmatch(serial):
                raise InputError(f"line {line}: {serial!r} is no serial number")
            try:
                expires_at = _expiry(row["expiry"])
            except ValueError as error:
                raise InputError(f"line {line}: {row['expiry']!r} is no day") from error
            if 0 < expires_at <= now:
                raise InputError(f"line {line}: voucher {serial} has expired")
            unfit = limits.unfit_voucher(product_id, pin, serial, expires_at)
            if unfit:
                raise InputError(f"line {line}: {unfit}")
            digest = key.digest("pin digest", f"{product_id}\0{pin}".encode())
            twin = connection.scalar(
                select(func.count()).where(
                    or_(
                        voucher.c.pin_digest == digest,
                        (voucher.c.product_id == product_id) & (voucher.c.serial == serial),
                    )
                )
            )
            if twin:
                raise InputError(
                    f"line {line}: this PIN or serial {serial} is in the vault already"
                )
            connection.execute(
                insert(voucher).values(
                    product_id=product_id,
                    serial=serial,
                    pin_sealed=key.seal("voucher", _context(product_id, serial), pin.encode()),
                    pin_digest=digest,
                    expires_at=expires_at,
                    imported_at=now,
                    free=True,
                )
            )
            count += 1
    except csv.Error as error:
        raise InputError(f"line {rows.line_num}: {error}") from error
    return count


def take(
    connection: Connection,
    key: ServerKey,
    product_id: str,
    count: int,
    now: int,
    spare_s: int = 0,
) -> list[Voucher]:
    """Take up to `count` free vouchers out of the vault, opened, those that expire first first.

    Those that expire within `spare_s` are left. The caller assigns each in the same transaction.
    One that no terminal could take, or that does not open though others do, is set aside with an
    alarm, and the next one taken: what is wrong with one voucher stops no other.
    """
    taken: list[Voucher] = []
    unfit: dict[int, str] = {}
    closed: list[int] = []
    looked_at: list[int] = []
    while len(taken) < count and len(looked_at) < count + _UNFIT_LIMIT:
        ids = _free(connection, product_id, count - len(taken), now + spare_s, looked_at)
        if not ids:
            break
        looked_at += ids
        for voucher_id in ids:
            try:
                opened = reveal(connection, key, voucher_id)
            except VaultError:
                closed.append(voucher_id)
                continue
            why = limits.unfit_voucher(product_id, opened.pin, opened.serial, opened.expires_at)
            if why:
                unfit[voucher_id] = why
            else:
                taken.append(opened)
    if closed and (taken or unfit):
        # Others open: the key is the right one, and it is these that are wrong.
        unfit |= dict.fromkeys(closed, "it was sealed under another server.key")
    elif closed:
        text = f"no voucher of {product_id} opens under this server.key: is it the right one?"
        raise_alarm(connection, None, "vault_closed", text, now)
    for voucher_id, why in unfit.items():
        _set_aside(connection, product_id, voucher_id, why, now)
    if taken:
        ids = [opened.voucher_id for opened in taken]
        connection.execute(update(voucher).where(voucher.c.id.in_(ids)).values(free=False))
    return taken


def _free(
    connection: Connection, product_id: str, count: int, after: int, without: list[int]
) -> list[int]:
    """Ids of free vouchers that are good beyond `after`, those that expire first first."""
    return list(
        connection.scalars(
            select(voucher.c.id)
            .where(voucher.c.product_id == product_id, voucher.c.free)
            .where(or_(voucher.c.expires_at == 0, voucher.c.expires_at > after))
            .where(voucher.c.id.not_in(without))
            .order_by(voucher.c.expires_at == 0, voucher.c.expires_at, voucher.c.id)
            .limit(count)
        )
    )


def _set_aside(
    connection: Connection, product_id: str, voucher_id: int, why: str, now: int
) -> None:
    connection.execute(update(voucher).where(voucher.c.id == voucher_id).values(free=False))
    connection.execute(
        insert(voucher_set_aside).values(voucher_id=voucher_id, reason=why[:200], set_aside_at=now)
    )
    text = f"a voucher of {product_id} is set aside, no terminal could take it: {why}"
    raise_alarm(connection, None, "voucher_unfit", text, now)


def reveal(connection: Connection, key: ServerKey, voucher_id: int) -> Voucher:
    """Open one voucher.

    Raises:
        VaultError: it does not open under this server key.
    """
    row = connection.execute(select(voucher).where(voucher.c.id == voucher_id)).one()
    pin = key.open("voucher", _context(row.product_id, row.serial), row.pin_sealed)
    return Voucher(row.id, row.product_id, pin.decode(), row.serial, row.expires_at)


def free_counts(connection: Connection, now: int) -> dict[str, int]:
    """Free and unexpired vouchers by product."""
    rows = connection.execute(
        select(voucher.c.product_id, func.count().label("free"))
        .where(voucher.c.free)
        .where(or_(voucher.c.expires_at == 0, voucher.c.expires_at > now))
        .group_by(voucher.c.product_id)
        .order_by(voucher.c.product_id)
    )
    return {row.product_id: row.free for row in rows}
