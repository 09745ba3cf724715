"""Another `server.key`: whoever is cut, copies late or has an old back-up can still open the vault,
and who has only the old key cannot.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete
from typer.testing import CliRunner, Result

from tests.server.device import Device
from tests.server.engines import POSTGRESQL_ALONE, SQLITE_ALONE, as_owner
from tests.server.shop import NOW, Shop
from updater_server import backup, server_key, wrapped
from updater_server.__main__ import cli
from updater_server.errors import StateError, VaultError
from updater_server.server_key import FIRST, FOREVER, ServerKey
from updater_server.service import DataFolder, Service
from updater_server.store.engine import writing
from updater_server.store.tables import server_constant, wrapped_secret

ON_BOTH_ENGINES = True


def command(shop: Shop, *arguments: object) -> Result:
    words = [str(each) for each in arguments]
    return CliRunner().invoke(cli, [*words, "--data", str(shop.folder)])


def change(shop: Shop) -> wrapped.Changed:
    folder = shop.service.folder
    return wrapped.change(folder.server_key, shop.service.engine, NOW, lambda _, __: None)


def a_shop_that_sold(shop: Shop) -> Device:
    device = shop.enrol()
    shop.stock_vault(count=8)
    assert device.sale(1)[1] == 0
    return device


def reopened(shop: Shop, folder: Path | None = None) -> Shop:
    """The same shop, as a server that starts now."""
    return Shop(shop.folder, Service.open(folder or shop.folder, lambda: NOW), shop.token)


def sells(shop: Shop, device: Device, sequence: int) -> dict[int, Any]:
    """A sale at a server that starts now: it opens the terminal's key, and a PIN."""
    again = reopened(shop)
    device.transport = again.post
    answer = device.sale(sequence)
    again.service.engine.dispose()
    return answer


def test_the_key_is_changed_and_nothing_else(shop: Shop) -> None:
    device = a_shop_that_sold(shop)
    key = shop.folder / "server.key"
    before, sealed = key.read_bytes(), shop.sql("SELECT id, pin_sealed FROM voucher ORDER BY id")
    done = command(shop, "key", "change", "--by", "asha")
    assert done.exit_code == 0, done.output
    assert key.read_bytes() != before
    assert key.stat().st_mode & 0o777 == 0o600
    assert shop.sql("SELECT id, pin_sealed FROM voucher ORDER BY id") == sealed
    old = server_key.WrappingKey(before).fingerprint
    new = server_key.load(key).fingerprint
    assert old in done.output and new in done.output
    assert (shop.folder / f"server.key.{old}").read_bytes() == before
    assert sorted(file.name for file in shop.folder.glob("server.key*")) == sorted(
        ["server.key", f"server.key.{old}"]
    )
    first = device.sale(1)
    assert first[1] == 0  # the running server goes on, with the same answer for the same sale
    assert sells(shop, device, 1)[3] == first[3]
    assert sells(shop, device, 2)[1] == 0
    assert shop.sql("SELECT operator, details FROM operator_log WHERE action = 'key change'") == [
        ("asha", f"fingerprint {old} to {new}")
    ]
    shown = command(shop, "key", "show")
    assert new in shown.output and "8 voucher" in shown.output
    assert command(shop, "check").exit_code == 0


def test_the_old_key_opens_nothing_and_is_told_which_one_does(shop: Shop) -> None:
    a_shop_that_sold(shop)
    key = shop.folder / "server.key"
    before = key.read_bytes()
    changed = change(shop)
    shop.service.engine.dispose()
    rows = shop.sql("SELECT wrapped FROM wrapped_secret ORDER BY number")
    for number, (row,) in enumerate(rows):
        with pytest.raises(VaultError):
            server_key.WrappingKey(before).unwrap(number, row)
    key.write_bytes(before)
    for arguments in (("init",), ("serve",), ("report",), ("key", "change"), ("check",)):
        refused = command(shop, *arguments)
        assert refused.exit_code == 1, arguments
        assert changed.old in refused.output and changed.new in refused.output
        assert "Traceback" not in refused.output
    assert shop.sql("SELECT wrapped FROM wrapped_secret ORDER BY number") == rows


@SQLITE_ALONE
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda key: key.write_bytes(bytes(31)), "31 bytes"),
        (lambda key: key.write_bytes(bytes([key.read_bytes()[0] ^ 1]) + key.read_bytes()[1:]),
         "fingerprint"),
        (lambda key: key.chmod(0o640), "chmod 600"),
        (lambda key: key.unlink(), "restore the key"),
    ],
    ids=["half written", "a spoiled bit", "readable by others", "gone"],
)  # fmt: skip
def test_a_key_file_that_is_no_good_is_told_so_at_the_start(
    shop: Shop, spoil: Callable[[Path], object], says: str
) -> None:
    a_shop_that_sold(shop)
    shop.service.engine.dispose()
    spoil(shop.folder / "server.key")
    refused = command(shop, "check")
    assert refused.exit_code == 1
    assert says in refused.output
    assert "Traceback" not in refused.output


@SQLITE_ALONE
def test_a_wrapped_secret_that_is_damaged_or_of_another_number_is_told_so(shop: Shop) -> None:
    a_shop_that_sold(shop)
    swapped = "SELECT wrapped FROM wrapped_secret WHERE number = 0"
    with writing(shop.service.engine) as connection:
        connection.exec_driver_sql(f"UPDATE wrapped_secret SET wrapped = ({swapped})")
    with pytest.raises(StateError, match=r"wrapped secret 1 does not open.*restore a back-up"):
        Service.open(shop.folder)


# --- cut anywhere ---


class Cut(BaseException):
    """The power is gone."""


@contextmanager
def cut_at(monkeypatch: pytest.MonkeyPatch, step: int) -> Iterator[list[str]]:
    """Cut before or after each thing that is done to the folder or the database; gives what was
    done.
    """
    done: list[str] = []

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*arguments: Any, **named: Any) -> Any:
            for moment in ("before", "after"):
                if moment == "after":
                    result = call(*arguments, **named)
                if len(done) == step:
                    raise Cut
                done.append(f"{moment} {name}")
            return result

        return stepped

    with monkeypatch.context() as patched:
        for holder, name in (
            (server_key, "create"), (wrapped, "sync_folder"), (wrapped, "wrap_anew"),
            (wrapped, "_put_in_place"), (wrapped, "write_atomically"), (Path, "replace"),
        ):  # fmt: skip
            patched.setattr(holder, name, counted(name, getattr(holder, name)))
        yield done


Build = Callable[[Path, Engine], None]


def rightly(path: Path, engine: Engine) -> None:
    wrapped.change(path, engine, NOW, lambda _, __: None)


def by_its_name_first(path: Path, engine: Engine) -> None:
    """A wrong build: the file has its name before the database knows of it."""
    old, new = server_key.load(path), wrapped._following(path)
    wrapped._put_in_place(path)
    with writing(engine) as connection:
        wrapped.wrap_anew(connection, old, new, NOW)


def over_the_old_one(path: Path, engine: Engine) -> None:
    """A wrong build: the new key is written when the database has it already."""
    old, new = server_key.load(path), server_key.WrappingKey(os.urandom(32))
    with writing(engine) as connection:
        wrapped.wrap_anew(connection, old, new, NOW)
    path.with_name(wrapped.NEXT).unlink(missing_ok=True)
    server_key.create(path.with_name(wrapped.NEXT))
    path.with_name(wrapped.NEXT).write_bytes(new.secret)
    wrapped._put_in_place(path)


def shut_out(shop: Shop, monkeypatch: pytest.MonkeyPatch, build: Build) -> list[str]:
    """After which cuts nothing opened the vault any more; each next one begins where the last one
    ended.
    """
    folder = shop.service.folder
    found: list[str] = []
    kept = wrapped._secrets(folder.server_key, shop.service.engine)
    for step in range(40):
        with cut_at(monkeypatch, step) as done, suppress(Cut):
            build(folder.server_key, shop.service.engine)
            return found
        try:
            assert wrapped._secrets(folder.server_key, shop.service.engine) == kept
            for again in range(2 - step % 2):  # by itself, or after it was done once more
                if again:
                    rightly(folder.server_key, shop.service.engine)
                assert wrapped._secrets(folder.server_key, shop.service.engine) == kept
        except StateError:
            found.append(done[-1] if done else "at once")
            rewrapped(shop, kept)
    raise AssertionError("it never ended")


def rewrapped(shop: Shop, secrets: dict[int, bytes]) -> None:
    """Help a wrong build on: the key that has the name is the database's."""
    key = server_key.load(shop.folder / "server.key")
    with as_owner(shop.folder) as connection:
        for number, secret in secrets.items():
            connection.execute(
                wrapped_secret.update()
                .where(wrapped_secret.c.number == number)
                .values(wrapped=key.wrap(number, secret), wrapped_under=key.fingerprint)
            )


def test_a_change_that_is_cut_anywhere_leaves_a_key_that_opens_the_vault(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = a_shop_that_sold(shop)
    assert shut_out(shop, monkeypatch, rightly) == []
    assert sells(shop, device, 2)[1] == 0


@SQLITE_ALONE
@pytest.mark.parametrize("build", [by_its_name_first, over_the_old_one])
def test_a_wrong_order_of_file_and_database_is_found_by_the_cuts(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, build: Build
) -> None:
    a_shop_that_sold(shop)
    assert shut_out(shop, monkeypatch, build) != []


@SQLITE_ALONE
def test_a_key_that_a_cut_change_left_is_taken_by_the_next_one(shop: Shop) -> None:
    """Its transaction may be committed by a database that answers nobody any more."""
    left = server_key.create(shop.folder / wrapped.NEXT)
    assert change(shop).new == left.fingerprint
    (shop.folder / wrapped.NEXT).write_bytes(b"half")
    assert change(shop).old == left.fingerprint
    assert Service.open(shop.folder)


@SQLITE_ALONE
def test_two_who_change_it_at_once_both_did(shop: Shop) -> None:
    device = a_shop_that_sold(shop)
    made: list[wrapped.Changed] = []
    threads = [threading.Thread(target=lambda: made.append(change(shop))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = sorted(made, key=lambda one: one.old != made[0].old or one.new == made[1].old)
    assert {first.new, second.new} & {first.old, second.old}
    assert sells(shop, device, 2)[1] == 0


@POSTGRESQL_ALONE
def test_another_machine_sells_on_and_starts_again_only_with_the_new_key(
    shop: Shop, tmp_path: Path
) -> None:
    device = a_shop_that_sold(shop)
    other = tmp_path / "other"
    shutil.copytree(shop.folder, other, symlinks=True)
    there = reopened(shop, other)
    changed = change(shop)
    device.transport = there.post
    assert device.sale(2)[1] == 0
    for refused in (Service.open, lambda path: change(there)):
        with pytest.raises(StateError, match=f"{changed.old}.*{changed.new}"):
            refused(other)
    assert not list(other.glob("server.key?*"))
    shutil.copy(shop.folder / "server.key", other / "server.key")
    Service.open(other).engine.dispose()
    there.service.engine.dispose()


# --- back-ups ---


@SQLITE_ALONE
def test_a_back_up_needs_the_key_of_its_day_and_says_which(shop: Shop, tmp_path: Path) -> None:
    device = a_shop_that_sold(shop)
    before = backup.make(shop.service, tmp_path / "copies")
    changed = change(shop)
    assert device.sale(2)[1] == 0
    after = backup.make(shop.service, tmp_path / "copies")
    shop.service.engine.dispose()
    refused = command(shop, "restore", before.path)
    assert refused.exit_code == 1
    assert changed.old in refused.output and changed.new in refused.output
    assert command(shop, "restore", after.path).exit_code == 0
    assert Service.open(shop.folder)
    # The key of its day stands beside the new one.
    shutil.copy(changed.aside, shop.folder / "server.key")
    assert command(shop, "restore", before.path).exit_code == 0
    assert command(shop, "check").exit_code == 0
    assert command(shop, "key", "change", "--by", "asha").exit_code == 0
    assert Service.open(shop.folder)


@SQLITE_ALONE
def test_no_back_up_is_made_under_a_key_that_is_not_its_databases(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = backup._copy_books

    def change_meanwhile(*given: Any) -> Any:
        found = copied(*given)
        change(shop)
        return found

    monkeypatch.setattr(backup, "_copy_books", change_meanwhile)
    with pytest.raises(StateError, match="make the back-up again"):
        backup.make(shop.service, tmp_path / "copies")
    assert list((tmp_path / "copies").iterdir()) == []


# --- databases of before ---


def of_before(shop: Shop, note: bool = True) -> None:
    """As a server without wrapped secrets left it: `server.key` itself sealed, and `note` says by
    a digest which it was.
    """
    key = server_key.load(shop.folder / "server.key")
    with as_owner(shop.folder) as connection:
        sql = connection.exec_driver_sql
        if shop.service.folder.has_moved:
            sql("SET LOCAL session_replication_role = replica")
            connection.execute(delete(wrapped_secret))
        else:
            name = "wrapped_secret_used"
            (guard,) = sql("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).one()
            sql(f"DROP TRIGGER {name}")
            connection.execute(delete(wrapped_secret))
            sql(guard)
        if note:
            said = key.digest("key check", b"duka").hex()
            connection.execute(server_constant.insert().values(name="key_check", value=said))
    object.__setattr__(shop.service, "key", ServerKey(key.secret))


@pytest.mark.parametrize("note", [True, False])
def test_a_database_of_before_keeps_what_its_key_sealed_as_its_first_secret(
    shop: Shop, note: bool
) -> None:
    of_before(shop, note)
    device = a_shop_that_sold(shop)
    first = device.sale(1)
    secret = (shop.folder / "server.key").read_bytes()
    again = reopened(shop)
    assert wrapped._secrets(shop.service.folder.server_key, again.service.engine) == {
        FOREVER: secret, FIRST: secret,
    }  # fmt: skip
    change(again)
    assert sells(shop, device, 1)[3] == first[3]
    assert sells(shop, device, 2)[1] == 0
    again.service.engine.dispose()


@SQLITE_ALONE
@pytest.mark.parametrize("note", [True, False])
def test_a_database_of_before_is_not_begun_by_another_key(shop: Shop, note: bool) -> None:
    of_before(shop, note)
    a_shop_that_sold(shop)
    (shop.folder / "server.key").write_bytes(bytes(32))
    with pytest.raises(StateError, match=r"fingerprint \w{16}\) is not the key"):
        Service.open(shop.folder)
    assert shop.sql("SELECT COUNT(*) FROM wrapped_secret") == [(0,)]


@SQLITE_ALONE
def test_secrets_of_a_new_database_are_nobodys_key(shop: Shop) -> None:
    secrets = wrapped._secrets(shop.service.folder.server_key, shop.service.engine)
    assert len({*secrets.values(), (shop.folder / "server.key").read_bytes()}) == 3
    assert DataFolder(shop.folder).server_key.stat().st_size == 32
