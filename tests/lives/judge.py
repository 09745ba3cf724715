"""What must hold at each midnight, from outside: paper, books, what the server was told."""

from __future__ import annotations

from collections import Counter

from tests.support.merchant import pin_on
from tests.support.world import World
from updater_server.sales import checks
from updater_server.store.engine import open_engine, reading

_QUIET_MESSAGES = 8
"""A day without any deed takes four."""
_MESSAGES_A_DEED = 4
_UNEXPECTED_ALARMS = ("journal", "float", "voucher", "reply", "message", "file")


def money(world: World, paid_in_minor: int) -> list[str]:
    """Broken promises of money; the terminal has told the server everything."""
    books = world.books
    debits = books.debits_minor()
    engine = open_engine(world.server.database)
    with reading(engine) as connection:
        found = list(checks.problems(connection))
    engine.dispose()
    whole = [each for each in world.terminal.receipts() if len(pin_on(each)) == 16]
    originals = Counter(pin_on(each) for each in whole if "DUPLICATE" not in each.text)
    handed_out = {pin_on(each) for each in whole}
    twice = [pin for pin, count in originals.items() if count > 1]
    if books.float_minor() != paid_in_minor - sum(debits):
        found.append(f"the float is {books.float_minor()}, not {paid_in_minor} - {sum(debits)}")
    if books.check_in()["own_float_minor"] != books.float_minor():
        found.append("terminal and ledger have different floats")
    if books.ledger_sum_minor() or books.assigned_twice():
        found.append("the books do not sum to zero, or a voucher was given twice")
    if twice:
        found.append(f"{len(twice)} PINs are on paper twice as originals")
    if not handed_out <= world.pins("air50") | world.pins("air100"):
        found.append("a PIN on paper was never in the vault")
    if len(handed_out) != len(debits):
        found.append(f"{len(handed_out)} PINs on paper, {len(debits)} debits in the books")
    found += [f"alarm {code}" for code in books.alarms() if code.startswith(_UNEXPECTED_ALARMS)]
    return found


def silence(messages: int, deeds: int) -> list[str]:
    """Whether more journal messages went out in a day than what was done there explains."""
    if messages <= _QUIET_MESSAGES + _MESSAGES_A_DEED * deeds:
        return []
    return [f"{messages} journal messages on a day of {deeds} deeds"]


def trust(world: World, wanted_release: int, bad_release: int | None) -> list[str]:
    """Broken promises of updates."""
    found = []
    check_in = world.books.check_in()
    if (check_in["release"], bool(check_in["trial"])) != (wanted_release, False):
        found.append(
            f"it runs release {check_in['release']}, trial {check_in['trial']},"
            f" not {wanted_release}; it waits for {world.books.waits()}"
        )
    failures = [release for release, _ in world.books.failures()]
    if bad_release is not None and bad_release not in failures:
        found.append(f"nobody was told that release {bad_release} failed")
    if len(failures) > 1:
        found.append(f"a release was tried again and again: {failures}")
    return found
