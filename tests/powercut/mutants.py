"""Wrong builds of bootloader, journal, till and installer, each a failure that a field has seen.

Each is made by changing one thing in the real code of this process; the runner must find every one
of them broken, or it judges nothing. `MUTANTS` is the list; the text is what the field would see.
"""

from __future__ import annotations

import copy
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import updater_server.sales.cancelling
from tests.powercut import device

with device.own():
    import firmware.drivers.printer
    import firmware.flows.last_sales
    import firmware.flows.messages
    import firmware.flows.people
    import firmware.flows.sell
    import firmware.flows.shift
    import firmware.flows.shift_copy
    import firmware.flows.steps.cancel
    import firmware.flows.steps.hand_over
    import firmware.flows.steps.pin
    import firmware.flows.steps.reach
    import firmware.flows.training
    import firmware.flows.z_report
    import firmware.kept.files
    import firmware.kept.memory
    import firmware.kept.notices
    import firmware.office.ask
    import firmware.office.stock_delivery
    import firmware.office.sync
    import firmware.sales.cancelling
    import firmware.sales.sale
    import firmware.sales.stock
    import firmware.sales.till
    import firmware.update.download
    from bootloader import boot, decide
    from bootloader.recovery.identity_commands import IdentityCommands
    from bootloader.recovery.image_commands import ImageCommands
    from bootloader.recovery.slots import Slots
    from bootloader.shared import control, tidy
    from firmware.duties import check_in, trial
    from firmware.sales.journal import Journal
    from firmware.sales.mounting import Mount
    from firmware.sales.recent import Recent
    from firmware.sales.ring import Ring, Walk
    from firmware.sales.shifts import Shifts
    from firmware.sales.state import SalesState
    from firmware.sales.tally import Tally
    from firmware.sales.till import Till
    from firmware.update.prepare import Preparation
    from firmware.update.record import Record


class PatchDoesNotFit(AssertionError):
    """The code a mutant changes is no longer as it was: look at both again."""


def rewrite(owner: Any, name: str, *changes: tuple[str, str]) -> None:
    """Change the source of a function or method in place, each text exactly once.

    Raises:
        PatchDoesNotFit: a text is not there, or more than once.
    """
    function = inspect.unwrap(inspect.getattr_static(owner, name))
    is_static = isinstance(function, staticmethod)
    function = function.__func__ if is_static else function
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in changes:
        if source.count(old) != 1:
            raise PatchDoesNotFit(f"{name} has {source.count(old)} times {old!r}")
        source = source.replace(old, new)
    made: dict[str, Any] = {}
    code = compile(source, f"<mutant of {name}>", "exec")
    exec(code, function.__globals__, made)
    setattr(owner, name, made[name])
    # those who imported it by its name have it, too
    for holder in device.MODULES.values():
        for key, value in list(vars(holder).items()):
            if value is function:
                setattr(holder, key, made[name])


@dataclass(frozen=True)
class Mutant:
    """`scenarios` are where it shows, the likeliest first."""

    name: str
    in_the_field: str
    build: Callable[[], None]
    scenarios: tuple[str, ...]


def _changed(owner: Any, name: str, *changes: tuple[str, str]) -> Callable[[], None]:
    return lambda: rewrite(owner, name, *changes)


def _takes_its_place(old: Any, value: Any) -> None:
    """Raises PatchDoesNotFit where `value` cannot be called as `old` is."""
    if inspect.isfunction(old) and inspect.isfunction(value):
        taken = inspect.signature(old).parameters
        try:
            inspect.signature(value).bind(*taken)
        except TypeError as error:
            raise PatchDoesNotFit(f"{value.__name__} for {old.__name__}: {error}") from error


def _replaced(owner: Any, name: str, value: Any) -> Callable[[], None]:
    def build() -> None:
        _takes_its_place(inspect.getattr_static(owner, name), value)
        setattr(owner, name, value)

    return build


def _everywhere(function: Any, value: Any) -> Callable[[], None]:
    """`value` instead of `function` in each module that holds it."""

    def build() -> None:
        _takes_its_place(function, value)
        for holder in device.MODULES.values():
            for key, held in list(vars(holder).items()):
                if held is function:
                    setattr(holder, key, value)

    return build


def _all(*builds: Callable[[], None]) -> Callable[[], None]:
    def build() -> None:
        for one in builds:
            one()

    return build


# --- changes too large for a replaced line ---


async def _hand_over_first(
    app: Any, sale: Any, duplicate: bool = False, may_go_on: bool = False
) -> bool:
    """Paper first; the intent of the sale is journaled when the printer is done."""
    if sale.online or duplicate:
        sold = app.till.reprint(sale) if duplicate else app.till.voucher(sale)
    else:
        sold = app.till._open(sale)
    await firmware.flows.steps.hand_over._print(app, sale, sold, duplicate)
    if sale.sequence > app.till.journal.next_sequence - 1:
        app.till._append(*sale.late)
    app.till.printed(sale, True)
    return False


def _begin_late(self: Any, kind: int, body: list[Any]) -> Any:
    if kind != 2:
        return _begin(self, kind, body)
    sequence = self.journal.next_sequence
    said = [kind, self._now(), *body]
    sale = firmware.sales.sale.Sale([sequence, sequence, 0, sequence], said, False)
    sale.late = (kind, body)
    self._fresh[sale.sequence] = False
    return sale


_begin = Till._begin


def _original_again() -> None:
    """May-be-out is forgotten with the RAM, and the till gives an original whenever it is asked."""
    rewrite(Till, "_sale", ("self._fresh.get(sequence, True)", "False"))
    rewrite(Till, "voucher", ('raise SaleRefused("pending_sale", sale.sequence)', "opened = True"))


def _delivered_in_ram(
    self: Any, sale: Any, pin: str, serial: str, _: int, after_minor: int, details: Any = None
) -> None:
    entry = self.journal.state.entry(sale.sequence)
    if entry and not entry[1]:
        entry[1] = sale.sequence
        entry[2] = 0
        self.journal.state.ledger_minor = after_minor
        self.journal.state.last_sale = None
        self._fresh[sale.sequence] = False
        sale.voucher_sequence = sale.sequence
        sale.kept = (pin, serial)


def _open_from_ram(self: Any, sale: Any) -> Any:
    kept = getattr(sale, "kept", None)
    if kept is None:
        return _open(self, sale)
    product = self.catalogue.product(sale.product_id)
    return firmware.sales.sale.Voucher((*kept, 0), [], product, sale)


_open = Till._open


async def _ask_under_a_new_number(messenger: Any, till: Any, sale: Any, *how: Any) -> Any:
    """An answer that was lost is asked for again, as another sale."""
    asked = vars(messenger).setdefault("asked", [])
    again = asked.count(sale.sequence)
    asked.append(sale.sequence)
    if again:
        messenger = copy.copy(messenger)
        messenger.exchange = _renumbered(messenger.exchange, 1000 * again)
    return await _ask(messenger, till, sale, *how)


def _renumbered(exchange: Any, by: int) -> Any:
    async def exchanged(kind: int, content: Any, *how: Any) -> Any:
        return await exchange(kind, {**content, 1: content[1] + by}, *how)

    return exchanged


_ask = firmware.office.ask.ask


def _no_boot_record() -> None:
    """The attempt is counted in RAM and reaches flash only with the next change."""
    rewrite(
        boot,
        "choose",
        ("        control.write(new)", "        control.state = new"),
    )


def _mark_before_sector() -> None:
    rewrite(
        firmware.update.download.Download,
        "_resume",
        ("if mark == self._mark_of(good):", "if mark[:2] == struct.pack('<H', good):"),
    )
    rewrite(
        firmware.update.download.Download,
        "_flush",
        (
            "    if offset % SECTOR_BYTES == 0:\n",
            "    if offset % SECTOR_BYTES == 0:\n        self._mark(offset // SECTOR_BYTES)\n",
        ),
        ("        self._mark((self.received - 1) // SECTOR_BYTES)", "        pass"),
    )


def _z_number_beside(note: str, first: bool) -> Callable[[], None]:
    """The number comes from what the terminal remembers, noted before or after the report."""
    made = "        await _print(desk, found.make_z(tally), tally)"
    return _changed(
        firmware.flows.z_report,
        "_make",
        (
            "    number, first = found.next_z()",
            "    _, first = found.next_z()\n"
            "    number = desk.memory.get('z', 0) + 1\n"
            "    found.next_z = lambda: (number, first)",
        ),
        (made, f"{note}\n{made}" if first else f"{made}\n{note}"),
    )


MUTANTS: dict[str, Mutant] = {
    m.name: m
    for m in (
        # the journal
        Mutant(
            "no_read_back",
            "A weak page swallows a sale; the terminal prints, and head office never hears of it.",
            _changed(Ring, "program", ("if view != piece:", "if False:")),
            ("sale-offline", "reprint"),
        ),
        Mutant(
            "write_over_torn",
            "Half a record and half the next one make a third that nobody wrote.",
            _changed(
                Walk,
                "records",
                ("at = min(_page_after(spoiled), SECTOR_BYTES)", "pass"),
            ),
            ("sale-offline", "reprint"),
        ),
        Mutant(
            "trust_header_length",
            "A torn record counts because its length field looks right.",
            _changed(
                Walk,
                "_parse",
                (
                    "if crc32(view[: size - 12]) != "
                    'struct.unpack(">I", view[size - 12 : size - 8])[0]:',
                    "if False:",
                ),
                (
                    "if before and tag(before, view[: size - 12]) != view[size - 8 : size]:",
                    "if False:",
                ),
            ),
            ("sale-offline", "sale-online"),
        ),
        Mutant(
            "torn_tag_counts",
            "A record whose last bytes were cut is built upon; the server finds the chain broken.",
            _changed(
                Walk,
                "_parse",
                (
                    "if before and tag(before, view[: size - 12]) != view[size - 8 : size]:",
                    "if False:",
                ),
            ),
            ("sale-offline", "sale-online"),
        ),
        Mutant(
            "chain_forgotten",
            "After a start the chain begins anew, and an honest terminal is taken for a forger.",
            _changed(
                Mount,
                "run",
                ("    self._strengthen()", "    self._strengthen()\n    ring.chain = bytes(8)"),
            ),
            ("sale-offline",),
        ),
        Mutant(
            "no_strengthening",
            "A cell that read well at start reads badly an hour later; a sale comes and goes.",
            _replaced(Mount, "_strengthen", lambda self: None),
            (
                "sale-offline",
                "sale-online",
                "reprint",
                "lost-answer",
                "sync-interrupted",
                "ring-turns",
                "any-day-0",
                "any-day-1",
            ),
        ),
        Mutant(
            "counter_in_ram",
            "How far a batch is sold is not in the checkpoint: after the ring turned, PINs repeat.",
            _changed(
                Journal,
                "_open",
                (
                    "checkpoint = cbor.dumps(self.state.dump())",
                    "d = self.state.dump()\n"
                    "    d[9] = {b: [0, p[1]] for b, p in d[9].items()}\n"
                    "    checkpoint = cbor.dumps(d)",
                ),
            ),
            ("ring-turns", "ring-fills"),
        ),
        Mutant(
            "erase_unacknowledged",
            "A week without network: the oldest sales are overwritten before anyone was told.",
            _replaced(Journal, "free_sectors", lambda self: self.ring.sectors - 1),
            ("ring-fills",),
        ),
        Mutant(
            "open_sale_pins_ring",
            "One sale is left for later; two weeks on nothing can be sold, and the screen says "
            "that there is no network.",
            _replaced(Journal, "_carry", lambda self, size: None),
            ("open-sales",),
        ),
        Mutant(
            "refused_on_a_page",
            "After the first sync each sale is refused before its page, in words that blame a sale "
            "which nobody left open.",
            _changed(
                firmware.flows.steps.reach,
                "refusal",
                (
                    "if till.journal.state.in_the_way(desk.link.state == ONLINE):",
                    "if till.journal.state.acknowledged:",
                ),
            ),
            ("sale-offline",),
        ),
        Mutant(
            "open_sale_overwritten",
            "Head office has it, so its sector is used again: the customer's voucher is gone.",
            _replaced(SalesState, "keep_from", property(lambda self: self.acknowledged + 1)),
            ("open-sales",),
        ),
        Mutant(
            "carried_sale_posted_twice",
            "An open sale is written once more before its sector goes, and charged once more.",
            _changed(
                Journal,
                "_restate",
                (
                    "self._write(CARRIED, body, cbor.dumps(body))",
                    "self._write(body[1], body[3:], cbor.dumps(body[3:]))",
                ),
            ),
            ("open-sales",),
        ),
        Mutant(
            "carried_in_ram",
            "Where the open sale is written now is not folded from the journal: a start, and the "
            "terminal looks for it where something else lies.",
            _changed(
                SalesState, "apply", ("elif kind == CARRIED:", "elif kind == CARRIED and False:")
            ),
            ("open-sales",),
        ),
        Mutant(
            "evict_needed_batch",
            "A ninth batch comes, and the PINs of a sold-out one go, with one that is paid for.",
            _changed(
                firmware.office.stock_delivery,
                "fetch_stock",
                (
                    "set(_needed(journal)).union(journal.state.batches)",
                    "set(journal.state.batches)",
                ),
            ),
            ("eviction",),
        ),
        Mutant(
            "no_reserve",
            "The journal is full in the middle of a sale: paper is out, and its end has no place.",
            _changed(Journal, "_fits", (">= reserve", ">= 0")),
            ("ring-fills",),
        ),
        Mutant(
            "ack_before_durable",
            "Records are struck off when they were sent; the reply, and the records, were lost.",
            _changed(
                firmware.office.sync,
                "tell",
                (
                    "        reply = await _told(messenger, records)",
                    "        journal.acknowledge(told + len(records), state.ledger_minor)\n"
                    "        reply = await _told(messenger, records)",
                ),
            ),
            ("sync-interrupted",),
        ),
        Mutant(
            "format_when_in_doubt",
            "One spoiled place, and the start-up code begins a clean journal over a day's sales.",
            _changed(
                Mount,
                "run",
                (
                    "    self._adopt()\n",
                    "    if ring.unreadable:\n"
                    "        for offset in range(0, ring.partition.size_bytes, SECTOR_BYTES):\n"
                    "            ring.partition.erase_sector(offset)\n"
                    "        ring.__init__(ring.partition)\n"
                    "        self.state = SalesState()\n"
                    "        return False\n"
                    "    self._adopt()\n",
                ),
            ),
            ("sale-offline",),
        ),
        Mutant(
            "spoiled_skips_nothing",
            "What the lost record had sold is sold again.",
            _all(
                _replaced(SalesState, "skip", lambda self, count: None),
                _replaced(Mount, "_strengthen", lambda self: None),
            ),
            (
                "sale-offline",
                "sale-online",
                "reprint",
                "lost-answer",
                "sync-interrupted",
                "ring-turns",
            ),
        ),
        Mutant(
            "strengthened_unseen",
            "What was found whole is read again and that is programmed: a weak cell stays weak, "
            "and a sale that was built upon is gone next week.",
            _changed(
                Mount,
                "_strengthen",
                (
                    "    ring.partition.program(*newest)",
                    "    again = ring.partition.read(newest[0], len(newest[1]))\n"
                    "        ring.partition.program(newest[0], again)",
                ),
            ),
            ("sale-offline", "sale-online", "reprint", "sync-interrupted", "ring-turns"),
        ),
        Mutant(
            "late_answer_makes_rich",
            "A repeated answer brings an old figure: the merchant sells what is spent already.",
            _changed(
                SalesState,
                "_answered",
                (
                    "min(self.ledger_minor - entry[_DEBIT], body[_FLOAT_AFTER])",
                    "body[_FLOAT_AFTER]",
                ),
            ),
            ("lost-answer",),
        ),
        Mutant(
            "debit_not_lifted",
            "A sale that got its answer is still counted as open: float is missing until closing.",
            _changed(
                SalesState,
                "_answered",
                ("entry[_DEBIT] = 0\n        self.last_sale", "self.last_sale"),
            ),
            ("sale-online",),
        ),
        # the till and the flows
        Mutant(
            "intent_after_print",
            "The plug is pulled while the PIN comes out; next morning it is sold to someone else.",
            _all(
                _replaced(Till, "_begin", _begin_late),
                _replaced(firmware.flows.steps.hand_over, "hand_over", _hand_over_first),
            ),
            ("sale-offline",),
        ),
        Mutant(
            "original_again",
            "After a cut the receipt comes a second time, and nothing on it says so.",
            _original_again,
            ("sale-offline", "lost-answer"),
        ),
        Mutant(
            "reprint_before_record",
            "A copy is on paper of which no book knows.",
            _changed(
                Till,
                "reprint",
                ("    self._append(REPRINT, [sale.sequence])\n", ""),
                (
                    "voucher = self._open(sale)",
                    "voucher = self._open(sale)\n        sale.may_be_out = False",
                ),
            ),
            ("reprint",),
        ),
        Mutant(
            "copy_of_another_sale",
            "A copy of one sale from the list has the voucher of another.",
            _changed(Recent, "sale", ("Sale(self._known[at], said", "Sale(self._known[0], said")),
            ("last-sales",),
        ),
        Mutant(
            "cancelled_still_here",
            "A sale that the office cancelled is printed after all: its voucher was still here.",
            _changed(SalesState, "apply", ("known[_HELD_AT] = 0", "pass")),
            ("cancelled",),
        ),
        Mutant(
            "cancelled_in_doubt",
            "A voucher that was printed before a cut is cancelled: it is used, and its money back.",
            _all(
                _changed(
                    firmware.sales.cancelling, "may_be_asked", (" and not sale.may_be_out", "")
                ),
                _changed(
                    firmware.flows.last_sales,
                    "_open",
                    ('stands in ("st_waits", "st_ready") and sale.online', "sale.online"),
                ),
            ),
            ("cancelled",),
        ),
        Mutant(
            "cancelled_on_paper_first",
            "A slip says that a sale is cancelled, and the office has not said so.",
            _changed(
                firmware.flows.steps.cancel,
                "cancel",
                (
                    "    done, code = await desk.ui.busy(",
                    "    await slip(desk, sale)\n    done, code = await desk.ui.busy(",
                ),
            ),
            ("cancelled",),
        ),
        Mutant(
            "cancelled_and_sold_again",
            "The voucher of a cancelled sale may be sold to somebody else, or told again.",
            _changed(
                updater_server.sales.cancelling,
                "cancel",
                (
                    '    vault.set_aside(connection, row.voucher_id, "recalled", _SET_BY, now)\n',
                    "",
                ),
            ),
            ("cancelled",),
        ),
        Mutant(
            "listed_as_new",
            "A sale from the list is printed as an original, and it was handed over before.",
            _all(
                _changed(
                    Recent,
                    "sale",
                    ("self._known[at], said, True)", "self._known[at], said, False)"),
                ),
                _changed(
                    firmware.flows.last_sales,
                    "_open",
                    ("hand_over.hand_over(desk, sale, True)", "hand_over.hand_over(desk, sale)"),
                ),
                _changed(
                    Till,
                    "voucher",
                    ("if opened is None:", "if opened is None and sale.may_be_out:"),
                ),
            ),
            ("last-sales",),
        ),
        # shifts and Z reports
        Mutant(
            "z_number_in_ram",
            "The number of the last Z is kept beside the journal, and noted when the slip is out: "
            "a cut, and two days have one number.",
            _z_number_beside("        desk.memory.put('z', number)", False),
            ("shifts",),
        ),
        Mutant(
            "z_number_taken_first",
            "The next number is noted before the report is written: a cut, and the tax office asks "
            "where a Z report went.",
            _z_number_beside("        desk.memory.put('z', number)", True),
            ("shifts",),
        ),
        Mutant(
            "z_on_paper_first",
            "A Z report is on paper of which the journal knows nothing, and the next one has its "
            "number.",
            _changed(
                firmware.flows.z_report,
                "_make",
                (
                    "        await _print(desk, found.make_z(tally), tally)",
                    "        sums = [tally.count, tally.total_minor, tally.commission_minor]\n"
                    "        body = [number, first] + sums + [desk.till.journal.ring.chain]\n"
                    "        at = desk.till.journal.next_sequence\n"
                    "        made = load(_SHIFTS).Report(at, 0, body)\n"
                    "        await _print(desk, made, tally)\n"
                    "        found.make_z(tally)",
                ),
            ),
            ("shifts",),
        ),
        Mutant(
            "z_forgets_open_sales",
            "A sale that was open at one Z report and got its answer with a sync is in none.",
            _changed(
                Tally,
                "_take",
                ("and sale not in self._late:", "and sale not in self._late and False:"),
            ),
            ("shifts",),
        ),
        Mutant(
            "z_copy_unmarked",
            "A Z report is printed again and looks like another one.",
            _changed(
                firmware.flows.z_report,
                "_copy",
                ("tally, lambda: found.note_copy(last.sequence))", "tally)"),
            ),
            ("shifts",),
        ),
        Mutant(
            "shift_closed_beside",
            "That a shift is closed is noted when its slip is out: a cut, and it is closed again "
            "with another count.",
            _all(
                _changed(Shifts, "look_back", ("if one.number not in closed]", "]")),
                _changed(
                    firmware.flows.shift,
                    "run",
                    (
                        "        mine = found.of(person)",
                        "        ended = desk.memory.get('ended', 0)\n"
                        "        found.open = [s for s in found.open if s.number > ended]\n"
                        "        mine = found.of(person)",
                    ),
                ),
                _changed(
                    firmware.flows.shift,
                    "_close",
                    (
                        '    await report.printed(desk, words("r_shift"), rows)',
                        '    await report.printed(desk, words("r_shift"), rows)\n'
                        "    desk.memory.put('ended', one.number)",
                    ),
                ),
            ),
            ("shifts",),
        ),
        Mutant(
            "counted_on_paper_first",
            "The cash that was counted is on a slip, and after a cut the shift is still open: it "
            "is counted again, and two slips differ.",
            _changed(
                firmware.flows.shift,
                "_close",
                (
                    "        cash_minor = found.close_shift("
                    "one, counted_minor, tally, desk.till.person)",
                    "        tally.finish()",
                ),
                (
                    '    await report.printed(desk, words("r_shift"), rows)',
                    '    await report.printed(desk, words("r_shift"), rows)\n'
                    "    found.close_shift(one, counted_minor, tally, desk.till.person)",
                ),
            ),
            ("shifts",),
        ),
        Mutant(
            "counted_cash_lost",
            "What was counted is on the slip alone; the office sees a shift in which nothing was "
            "ever missing.",
            _changed(
                Shifts,
                "close_shift",
                ("[shift.number, counted_minor, ", "[shift.number, expected_minor, "),
            ),
            ("shifts",),
        ),
        Mutant(
            "shift_expects_all",
            "Who closes is asked for the cash that somebody else took in.",
            _changed(firmware.flows.shift, "_close", ("only=one.person", "only=None")),
            ("shifts",),
        ),
        # around selling
        Mutant(
            "settings_in_place",
            "The merchant makes the screen brighter, the power goes: the terminal has forgotten "
            "its language, and how often a wrong PIN was tried.",
            _changed(
                firmware.kept.memory.Memory,
                "_store",
                (
                    "    put(self._path, (json.dumps(self._kept).encode(),))",
                    '    with open(self._path, "wb") as file:\n'
                    "        file.write(json.dumps(self._kept).encode())",
                ),
            ),
            ("around",),
        ),
        Mutant(
            "a_setting_forgets_the_rest",
            "Whoever found the terminal sets its sound, and has all tries of the PIN again.",
            _changed(
                firmware.kept.memory.Memory,
                "put",
                ("self._kept[name] = value", "self._kept = {name: value}"),
            ),
            ("around", "people"),
        ),
        Mutant(
            "training_sells",
            "Who is shown how to sell has sold: the float is less, and a voucher of the stock is "
            "gone that nobody has.",
            _changed(
                firmware.flows.training,
                "_hand_over",
                (
                    '    slip = practice.marked(slip, words("tr_paper"))',
                    '    slip = practice.marked(slip, words("tr_paper"))\n'
                    "    desk.till.begin_offline(sold.product.id, sold.product)",
                ),
            ),
            ("around",),
        ),
        Mutant(
            "training_has_a_pin",
            "The slip of training has the PIN of a voucher in stock, and is pocketed.",
            _changed(
                firmware.flows.training,
                "_voucher",
                (
                    "(practice.code(digits), practice.code(8), 0)",
                    "desk.stock.open_pin(*desk.stock.places("
                    "desk.till.journal.state.batches, product, desk.now)[0][:2])",
                ),
            ),
            ("around",),
        ),
        Mutant(
            "training_unmarked",
            "A slip of training looks like a voucher, and a customer pays for it.",
            _changed(
                firmware.flows.training,
                "_hand_over",
                ('    slip = practice.marked(slip, words("tr_paper"))', "    pass"),
            ),
            ("around",),
        ),
        Mutant(
            "copy_numbered_after",
            "The copy of a slip is on paper, its number is noted then: a cut, and two copies are "
            "the first one.",
            _changed(
                firmware.flows.shift_copy,
                "_print",
                (
                    '    await report.printed(desk, words("r_shift"), rows, '
                    "lambda: found.note_copy(one.sequence))",
                    "    number = found._copies.get(one.sequence, 0) + 1\n"
                    '    await report.printed(desk, words("r_shift"), rows, lambda: number)\n'
                    "    found.note_copy(one.sequence)",
                ),
            ),
            ("around",),
        ),
        Mutant(
            "copy_counted_in_ram",
            "How many copies of a slip there are is forgotten with the power.",
            _changed(
                Shifts,
                "note_copy",
                ("self._journal.append(SETTING, [_COPY + str(sequence), number])", "pass"),
            ),
            ("around",),
        ),
        Mutant(
            "shift_copy_unmarked",
            "The slip of a shift is printed again and looks like another shift's.",
            _changed(
                firmware.flows.shift_copy,
                "_print",
                ("rows, lambda: found.note_copy(one.sequence))", "rows)"),
            ),
            ("around",),
        ),
        # people
        Mutant(
            "person_named_after",
            "A cashier can sign in before the journal says who she is: a cut, and the office sees "
            "sales by somebody whom nobody knows.",
            _changed(
                firmware.flows.people,
                "_add",
                (
                    "    _told(desk, one.number, name)\n"
                    "    pin.keep(desk, everybody, one.number, new)",
                    "    pin.keep(desk, everybody, one.number, new)\n"
                    "    _told(desk, one.number, name)",
                ),
            ),
            ("people",),
        ),
        Mutant(
            "gone_before_out",
            "The office is told that a cashier is gone before she is: a cut, and she goes on "
            "selling under no name.",
            _changed(
                firmware.flows.people,
                "_one",
                ('            _told(desk, one.number, "")\n', "            pass\n"),
                (
                    "        everybody.others.remove(one)\n",
                    '        _told(desk, one.number, "")\n        everybody.others.remove(one)\n',
                ),
            ),
            ("people",),
        ),
        Mutant(
            "pin_given_later",
            "Who is added has the PIN that comes with the terminal until hers is kept: a cut, and "
            "whoever knows that one sells under her name.",
            _changed(
                firmware.flows.people,
                "_add",
                (
                    "    pin.keep(desk, everybody, one.number, new)\n",
                    '    pin.keep(desk, everybody, one.number, "0000")\n'
                    "    pin.keep(desk, everybody, one.number, new)\n",
                ),
            ),
            ("people",),
        ),
        Mutant(
            "old_pin_struck_off_first",
            "The owner's old PIN goes before the new one is kept: a cut, and the PIN that the "
            "terminal was delivered with opens it again.",
            _changed(
                firmware.flows.steps.pin,
                "keep",
                (
                    "    everybody.set_pin(",
                    "    everybody._owner = None if number == people.OWNER else everybody._owner\n"
                    "    people.store(desk.files, everybody)\n    everybody.set_pin(",
                ),
            ),
            ("people",),
        ),
        Mutant(
            "notice_in_place",
            "The power goes while a deposit is written down: its number is there, what it says is "
            "not, and the office believes that it is.",
            _changed(
                firmware.kept.notices,
                "take",
                (
                    "put(_path(place, folder), (cbor.dumps(said),))",
                    "with open(_path(place, folder), 'wb') as file:\n"
                    "                file.write(cbor.dumps(said))",
                ),
            ),
            ("notices",),
        ),
        Mutant(
            "notice_read_anew",
            "That a deposit was read is written as another file, the old one gone first: a cut, "
            "and the deposit was never told.",
            _changed(
                firmware.kept.notices,
                "mark",
                (
                    "os.rename(_path(place, folder), _path(after, folder))",
                    "said = read(place, folder)\n    remove(_path(place, folder))\n"
                    "    put(_path(after, folder), (cbor.dumps(said),))",
                ),
            ),
            ("notices",),
        ),
        Mutant(
            "deposit_slip_first",
            "A deposit's slip is out before anything says so: a cut, and there are two that look "
            "like two deposits.",
            _changed(
                firmware.flows.messages,
                "_show",
                (
                    "await report.printed(desk, title, rows, lambda: _copy(place))",
                    "await report.printed(desk, title, rows, lambda: place[1] - 1 or None)\n"
                    "        _copy(place)",
                ),
            ),
            ("notices",),
        ),
        Mutant(
            "deposit_copy_unmarked",
            "A deposit's slip is printed again and looks like another one.",
            _changed(
                firmware.flows.messages, "_copy", ("return place[1] - 1 or None", "return None")
            ),
            ("notices",),
        ),
        Mutant(
            "wiped_and_sold",
            "What a terminal wiped is fetched again and sold, and the office has given it to "
            "others.",
            _changed(
                SalesState,
                "apply",
                (
                    "self._batch(batch, count)[_COUNT] = count",
                    "self._batch(batch, count)[_COUNT] = 100 if len(body) > 2 else count",
                ),
            ),
            ("away",),
        ),
        Mutant(
            "wiped_with_open_sale",
            "The file of a voucher that is paid for goes with the rest: the customer waits for a "
            "network that is far away.",
            _changed(
                firmware.office.stock_delivery,
                "wipe",
                ("stock.keep_only(_needed(journal, state.unfinished))", "stock.keep_only(())"),
            ),
            ("away",),
        ),
        Mutant(
            "delivered_in_ram",
            "The server's voucher is only in RAM while it prints: a cut, and it is asked for anew.",
            _all(
                _replaced(Till, "delivered", _delivered_in_ram),
                _replaced(Till, "_open", _open_from_ram),
            ),
            ("sale-online",),
        ),
        Mutant(
            "another_number_on_retry",
            "A lost answer is asked for as a new sale; the merchant pays twice for one voucher.",
            _everywhere(_ask, _ask_under_a_new_number),
            ("lost-answer",),
        ),
        Mutant(
            "stock_told_before_stored",
            "The server has its receipt for a batch that the terminal lost; the PINs are gone.",
            _changed(
                firmware.office.stock_delivery,
                "fetch_stock",
                (
                    "        if not known:\n            journal.append",
                    "        await messenger.exchange(STOCK_RECEIVED, "
                    "{1: batch_id, 2: digest})\n        if not known:\n            journal.append",
                ),
            ),
            ("stock",),
        ),
        # control block and bootloader
        Mutant(
            "erase_before_copy",
            "The boot records are erased to make room for the next one; a cut, and nothing boots.",
            _changed(
                control.ControlBlock,
                "write",
                (
                    "other = int(self._newest_page < _PAGES_PER_SECTOR)",
                    "other = int(self._newest_page >= _PAGES_PER_SECTOR)",
                ),
            ),
            ("many-starts", "plugs-in-trial"),
        ),
        Mutant(
            "unsealed_records_count",
            "A torn boot record is obeyed: a slot that was never written is booted.",
            _changed(
                control,
                "decode",
                (
                    "if not equal(hmac_sha256(key, memoryview(page)[:_MARK]), page[_SEAL:]):",
                    "if False:",
                ),
            ),
            ("delta", "full-security"),
        ),
        Mutant(
            "control_not_read_back",
            "The record of the switch went into a page that took nothing.",
            _changed(
                control.ControlBlock,
                "_program",
                ("if self._partition.read(offset, PAGE_BYTES) == page:", "if True:"),
            ),
            # where a lost record is all that is wrong: elsewhere the marks of the older ones tell
            ("records-decay", "report-fails", "full-security", "plugs-in-trial"),
        ),
        Mutant(
            "attempt_not_recorded",
            "Boots are counted in RAM: numbers repeat, and the server takes honest messages for "
            "replays.",
            _no_boot_record,
            ("sale-online",),
        ),
        Mutant(
            "power_off_is_a_crash",
            "A merchant pulls the plug twice during an update, and a good release is thrown away.",
            _changed(
                decide,
                "decide",
                ('if reset_cause == "watchdog":', 'if reset_cause in ("watchdog", "power-on"):'),
            ),
            ("plugs-in-trial",),
        ),
        Mutant(
            "security_rises_at_switch",
            "The new release crashes, and the old one may not be booted any more.",
            _changed(
                control.ControlBlock,
                "start_trial",
                (
                    "    state.active = slot\n",
                    "    state.active = slot\n    state.security_version = security_version\n",
                ),
            ),
            ("full-security",),
        ),
        Mutant(
            "failure_forgotten",
            "A release that crashed is rolled back and installed again, night after night.",
            _all(
                _changed(decide, "decide", ("new.fail(slot.release, why)", "pass")),
                _changed(
                    control.State,
                    "crash",
                    ("            self.fail(release, reason)", "            pass"),
                ),
            ),
            ("crash-in-trial",),
        ),
        Mutant(
            "cleared_before_told",
            "The reason of the failure is struck off before the server has it.",
            _changed(
                check_in.CheckIn,
                "run",
                (
                    "    now, terminal.message, waiting, recalled = await self._ask(",
                    "    if failure:\n        boot.control.clear_failure()\n"
                    "    now, terminal.message, waiting, recalled = await self._ask(",
                ),
            ),
            ("crash-in-trial", "hang-in-trial"),
        ),
        Mutant(
            "undone_by_failed_report",
            "The release works, its report does not get through, and it is taken back.",
            _changed(
                check_in.CheckIn,
                "run",
                (
                    "    now, terminal.message, waiting, recalled = await self._ask(",
                    "    if boot.control.state.slots[boot.slot].state == 'good' and "
                    "terminal.link.state == 1:\n"
                    "        boot.control.mark_bad(boot.slot, 'no report')\n"
                    "    now, terminal.message, waiting, recalled = await self._ask(",
                ),
            ),
            ("report-fails",),
        ),
        # the installer
        Mutant(
            "confirm_before_selftest",
            "The release is kept because it started; that it cannot reach the server shows later.",
            _changed(
                trial,
                "prove",
                (
                    "    started = ticks_ms()\n",
                    "    started = ticks_ms()\n    boot.control.confirm()\n",
                ),
            ),
            ("delta",),
        ),
        Mutant(
            "switch_unverified",
            "What was expanded is switched to without a look at what flash took of it.",
            _changed(
                Preparation,
                "run",
                (
                    "            if await digest_of(slot, release.image_size_bytes) == "
                    "release.image_sha256:\n                self._log(",
                    "            if True:\n                self._log(",
                ),
            ),
            ("full-security", "delta"),
        ),
        Mutant(
            "slot_not_emptied",
            "The old release is overwritten while the boot records still call it the way back.",
            _changed(
                Preparation, "_expand", ("    self._control.empty(OTHER[self._running])\n", "")
            ),
            ("crash-in-trial", "full-security"),
        ),
        Mutant(
            "resume_from_counter",
            "The download goes on behind bytes that never reached flash; airtime is paid twice.",
            _mark_before_sector,
            ("full-security",),
        ),
        Mutant(
            "remove_before_rename",
            "The old signed file is removed to make room for the new one; the cut leaves neither.",
            _changed(
                firmware.kept.files,
                "put",
                (
                    "        os.rename(new, path)",
                    "        remove(path)\n        os.rename(new, path)",
                ),
            ),
            ("catalogue", "delta"),
        ),
        Mutant(
            "refusals_in_ram",
            "The terminal forgets at the next start which release it must not try again.",
            _replaced(Record, "save", lambda self: None),
            ("crash-in-trial", "hang-in-trial"),
        ),
        # recovery
        Mutant(
            "recovery_overwrites_confirmed",
            "A technician flashes another release during a trial; it crashes, and what sold before "
            "is gone.",
            _changed(
                Slots,
                "free_for",
                ("if not self.is_needed(other):", "if True:"),
            ),
            ("recovery-in-trial",),
        ),
        Mutant(
            "confirms_without_trial",
            "Recovery takes the technician's word that a release works; it reaches no server.",
            _changed(
                control.ControlBlock,
                "adopt",
                ('self._place(slot, "trial",', 'self._place(slot, "good",'),
            ),
            ("recovery-in-trial", "serial-recovery"),
        ),
        Mutant(
            "erase_before_listed",
            "One frame of anything on the serial port, and the slot behind it is empty.",
            _changed(
                ImageCommands,
                "_begin",
                (
                    "    entry = self._listed(sha256, size_bytes)\n",
                    "    if state.slots['b'].state == 'trial':\n"
                    "        self._holdings.control.give_way()\n"
                    "        self._holdings.control.empty('b')\n"
                    "    entry = self._listed(sha256, size_bytes)\n",
                ),
            ),
            ("recovery-in-trial",),
        ),
        Mutant(
            "boot_count_from_record_alone",
            "One page of flash decays: numbers repeat, the terminal is offline for a day, and two "
            "messages share a nonce.",
            _changed(boot, "choose", ("if control.newer_lost:", "if False:")),
            ("records-decay",),
        ),
        Mutant(
            "full_data_is_fatal",
            "Uploads that never ended fill the disk; the merchant signs in, and the program ends.",
            _all(
                _changed(
                    tidy,
                    "make_room",
                    ("for orphans in (None, False, True):", "for orphans in (None,):"),
                ),
                _changed(tidy, "tidy", ('if name.endswith(".new"):', "if False:")),
                _changed(
                    firmware.kept.memory.Memory,
                    "put",
                    (
                        "    except OSError:\n        tidy(True)",
                        "    except ValueError:\n        pass",
                    ),
                ),
            ),
            ("full-data",),
        ),
        Mutant(
            "upload_unchecked",
            "A line error on the technician's cable is made the terminal's software.",
            _changed(
                ImageCommands,
                "_finish",
                (
                    "if images.sha256_of(partition, upload.size_bytes) != upload.sha256:",
                    "if False:",
                ),
            ),
            ("provisioning", "serial-recovery"),
        ),
        Mutant(
            "identity_first",
            "The plug is pulled while the technician makes the terminal: it says that it is "
            "provisioned, and its storage never opens.",
            _changed(
                IdentityCommands,
                "make_identity",
                (
                    "        holdings.mount()\n        identity.store(partition, who)\n",
                    "        identity.store(partition, who)\n        holdings.who = who\n"
                    "        holdings.mount()\n",
                ),
            ),
            ("provisioning",),
        ),
    )
}

__all__ = ("MUTANTS", "Mutant", "PatchDoesNotFit")
