"""One table of limits: whoever signs, sends, stores or uses a field holds the same figures, and
what is signed is always something that the terminal takes and uses.
"""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootloader.shared import tuf
from firmware.kept import config
from firmware.kept import files as kept
from firmware.office import ask, messenger, sync
from firmware.sales import catalogue, product, stock
from firmware.update import delta
from tests.formats import documents as d
from tests.server.shop import Shop
from updater_server import channels
from updater_server.fleet import enrolment, technicians, terminals, updates
from updater_server.sales import (
    delivery_file,
    deposits,
    forgotten,
    incoming,
    ledger,
)
from updater_server.sales.batches import NAMED_LIMIT
from updater_server.sales.stock_file import BATCH_LIMIT
from updater_server.store.engine import writing
from updater_server.wire import limits
from updater_server.wire.sealed import MESSAGE_LIMIT_BYTES

SERVER = {
    "price_list.file_bytes": limits.PRICE_LIST_BYTES,
    "price_list.version": limits.PRICE_LIST_VERSION,
    "price_list.minor_digits": limits.MINOR_DIGITS,
    "price_list.products": limits.PRODUCTS,
    "price_list.product.id": limits.PRODUCT_ID,
    "price_list.product.name": limits.PRODUCT_NAME,
    "price_list.product.operator": limits.OPERATOR,
    "price_list.product.amount_minor": limits.AMOUNT_MINOR,
    "price_list.product.instructions": limits.INSTRUCTIONS,
    "price_list.product.dial": limits.DIAL,
    "price_list.product.helpline": limits.HELPLINE,
    "price_list.product.pin_groups": limits.PIN_GROUPS,
    "price_list.product.pin_group": limits.PIN_GROUP,
    "price_list.open.min_minor": limits.AMOUNT_MINOR,
    "price_list.open.max_minor": limits.AMOUNT_MINOR,
    "price_list.open.step_minor": limits.AMOUNT_MINOR,
    "price_list.open.commission_permille": limits.COMMISSION_PERMILLE,
    "price_list.recipient.digits": limits.RECIPIENT_DIGITS,
    "price_list.recipient.starts": limits.RECIPIENT_STARTS,
    "price_list.recipient.start": limits.RECIPIENT_START,
    "price_list.prefixes.operators": limits.PREFIX_OPERATORS,
    "price_list.prefixes.operator": limits.OPERATOR,
    "price_list.prefixes.starts": limits.PREFIXES,
    "price_list.product.offline.max_count": limits.OFFLINE_COUNT,
    "price_list.product.offline.max_total_minor": limits.OFFLINE_TOTAL_MINOR,
    "price_list.product.offline.max_age_s": limits.OFFLINE_AGE_S,
    "price_list.offline.max_count": limits.OFFLINE_COUNT,
    "price_list.offline.max_total_minor": limits.OFFLINE_TOTAL_MINOR,
    "price_list.offline.max_age_s": limits.OFFLINE_AGE_S,
    "price_list.offline.wipe_after_s": limits.OFFLINE_WIPE_S,
    "release.release": limits.RELEASE,
    "release.signed_release": limits.SIGNED_RELEASE,
    "release.built": limits.BUILT,
    "release.security_version": limits.SECURITY_VERSION,
    "release.hardware_revisions": limits.HARDWARE_REVISIONS,
    "release.hardware_revision": limits.HARDWARE_REVISION,
    "release.min_bootloader": limits.MIN_BOOTLOADER,
    "release.journal_reads": limits.JOURNAL_READS,
    "release.journal_version": limits.JOURNAL_VERSION,
    "release.image_size_bytes": limits.IMAGE_BYTES,
    "release.payloads": limits.PAYLOADS,
    "release.crashes_allowed": limits.CRASHES_ALLOWED,
    "release.unconfirmed_boots_allowed": limits.UNCONFIRMED_BOOTS_ALLOWED,
    "release.selftest_deadline_s": limits.SELFTEST_DEADLINE_S,
    "release.gate_battery_mv": limits.GATE_BATTERY_MV,
    "release.gate_unsynced_records": limits.GATE_UNSYNCED_RECORDS,
    "release.gate_idle_s": limits.GATE_IDLE_S,
    "release.text_languages": limits.TEXT_LANGUAGES,
    "release.text": limits.TEXT,
    "delta.idle_steps": limits.DELTA_IDLE_STEPS,
    "patch.decisions": limits.PATCH_DECISIONS,
    "rollout.releases": limits.ROLLOUT_RELEASES,
    "rollout.threshold": limits.THRESHOLD,
    "rollout.within": limits.WITHIN,
    "rollout.halted": limits.HALTED,
    "rollout.flags": limits.FLAGS,
    "rollout.flag_name": limits.FLAG_NAME,
    "rollout.flag_terminals": limits.FLAG_TERMINALS,
    "brake.halted": limits.BRAKE_HALTED,
    "brake.off": limits.BRAKE_OFF,
    "brake.version": limits.BRAKE_VERSION,
    "release.lifted": limits.BRAKE_LIFTED,
    "release.pace_after_h": limits.PACE_AFTER_H,
    "release.pace_millionths": limits.PACE_MILLIONTHS,
    "release.pace_factor": limits.PACE_FACTOR,
    "release.pace_every_h": limits.PACE_EVERY_H,
    "release.pace_rate": limits.PACE_RATE,
    "release.quote_bytes": limits.QUOTE_BYTES,
    "release.widens": limits.WIDENS,
    "voucher.product_id": limits.PRODUCT_ID,
    "voucher.pin_bytes": limits.PIN_BYTES,
    "voucher.serial_bytes": limits.SERIAL_BYTES,
    "voucher.expiry": limits.EXPIRY,
    "stock_file.file_bytes": limits.STOCK_FILE_BYTES,
    "stock_file.batch_id": limits.BATCH_ID,
    "stock_file.face_minor": limits.AMOUNT_MINOR,
    "stock_file.vouchers": limits.BATCH_VOUCHERS,
    "message.request_bytes": limits.REQUEST_BYTES,
    "message.reply_bytes": limits.REPLY_BYTES,
    "message.float_minor": limits.FLOAT_MINOR,
    "message.merchant_text": limits.MERCHANT_TEXT,
    "message.notices": limits.NOTICES,
    "message.notice_number": limits.NOTICE_NUMBER,
    "message.notice_text": limits.NOTICE_TEXT,
    "message.notice_reference": limits.NOTICE_REFERENCE,
    "message.coap_port": limits.COAP_PORT,
    "message.coap_payload_bytes": limits.COAP_PAYLOAD_BYTES,
    "message.sms_bytes": limits.SMS_BYTES,
    "message.sms_number": limits.SMS_NUMBER,
    "message.sms_word_age_s": limits.SMS_WORD_AGE_S,
    "message.batches_waiting": limits.BATCHES_WAITING,
    "message.failure_reason": limits.FAILURE_REASON,
    "message.refused_files": limits.REFUSED_FILES,
    "message.refused_file": limits.REFUSED_FILE,
    "message.refused_reason": limits.REFUSED_REASON,
    "message.stock_lists_wanted": limits.STOCK_LISTS_WANTED,
    "message.ask_again_s": limits.ASK_AGAIN_S,
    "message.sale_details": limits.SALE_DETAILS,
    "message.detail_label": limits.DETAIL_LABEL,
    "message.detail_value": limits.DETAIL_VALUE,
    "message.customer_name": limits.CUSTOMER_NAME,
    "message.wait_code": limits.WAIT_CODE,
    "settings.merchant_name": limits.MERCHANT_NAME,
    "delivery.file_bytes": limits.DELIVERY_BYTES,
    "technician.name": limits.TECHNICIAN_NAME,
    "technician.allowance_minor": limits.ALLOWANCE_MINOR,
    "technician.daily_requests": limits.DAILY_REQUESTS,
    "ledger.top_up_minor": limits.TOP_UP_MINOR,
    "ledger.first_float_minor": limits.FIRST_FLOAT_MINOR,
}
TERMINAL_MOST = {
    "price_list.file_bytes": catalogue.MAX_BYTES,
    "price_list.products": catalogue.MAX_PRODUCTS,
    "settings.file_bytes": config.MAX_BYTES,
    "stock_file.file_bytes": stock.MAX_BYTES,
    "stock_file.vouchers": stock.MAX_VOUCHERS,
    "voucher.pin_bytes": ask.MAX_PIN_BYTES,
    "voucher.serial_bytes": ask.MAX_SERIAL_BYTES,
    "delta.idle_steps": delta.IDLE_STEPS,
    "message.float_minor": messenger.FLOAT_MINOR,
    "message.time": messenger.UINT32,
    "message.reply_bytes": messenger.REPLY_BYTES,
}


@pytest.mark.parametrize("path", SERVER)
def test_the_server_holds_the_figure_of_the_table(path: str) -> None:
    assert d.bounds(path) == SERVER[path]


@pytest.mark.parametrize("path", TERMINAL_MOST)
def test_the_terminal_holds_the_figure_of_the_table(path: str) -> None:
    assert d.bounds(path)[1] == TERMINAL_MOST[path]


def test_figures_that_other_modules_keep_are_those_of_the_table() -> None:
    assert d.bounds("message.request_bytes")[1] == MESSAGE_LIMIT_BYTES
    assert d.bounds("stock_file.vouchers")[1] == BATCH_LIMIT
    assert d.bounds("message.batches_waiting")[1] == NAMED_LIMIT
    assert d.bounds("ledger.top_up_minor")[1] == ledger.AMOUNT_LIMIT_MINOR
    assert d.bounds("release.image_size_bytes")[1] == channels.IMAGE_LIMIT_BYTES
    assert d.bounds("ledger.top_up_minor")[1] == deposits.FLOAT_LIMIT_MINOR
    assert d.bounds("ledger.first_float_minor")[1] == enrolment.INITIAL_FLOAT_LIMIT_MINOR
    assert d.bounds("settings.merchant_name")[1] == terminals.MERCHANT_NAME_LETTERS
    assert d.bounds("technician.allowance_minor")[1] == technicians.ALLOWANCE_LIMIT_MINOR
    assert d.bounds("technician.daily_requests")[1] == technicians.DAILY_LIMIT_HIGHEST
    assert d.bounds("message.wait_code")[1] == updates.WAIT_CODE_LENGTH
    assert d.bounds("message.stock_lists_wanted")[1] == forgotten.WANTED_LIMIT
    assert d.bounds("delivery.file_bytes")[1] == delivery_file.LIMIT_BYTES
    assert d.bounds("voucher.expiry")[1] == delivery_file.EXPIRY_LIMIT
    assert d.bounds("message.request_bytes")[1] > sync.MESSAGE_BYTES
    files = kept.Kept(False)
    for n in range(20):
        files.refuse("n" * 99 + str(n), "w" * 999)
    assert all(
        (len(name), len(why))
        == (d.bounds("message.refused_file")[1], d.bounds("message.refused_reason")[1])
        for name, why in files.refused.items()
    )


def test_no_number_can_be_signed_that_none_can_follow() -> None:
    assert d.bounds("release.signed_release")[1] < d.bounds("release.release")[1]
    highest = d.bounds("release.signed_release")[1]
    assert d.takes(d.signer_entry, d.entry(release=highest))
    assert not d.takes(d.signer_entry, d.entry(release=highest + 1))
    for number in (1, 2026112601, highest, d.bounds("release.release")[1]):
        assert d.terminal_entry(d.entry(release=number)).release == number
    for number in (0, d.bounds("release.release")[1] + 1):
        assert not d.takes(d.terminal_entry, d.entry(release=number))


FIELDS = [
    *((path, make, d.PRICE_READERS) for path, make in d.PRICE_FIELDS.items()),
    *((path, make, (d.terminal_prices,)) for path, make in d.OTHERS_FIELDS.items()),
    *((path, make, d.ENTRY_READERS) for path, make in d.ENTRY_FIELDS.items()),
    *((path, make, d.PLAN_READERS) for path, make in d.PLAN_FIELDS.items()),
    *((path, make, (d.terminal_settings,)) for path, make in d.SETTINGS_FIELDS.items()),
    *((path, make, (d.terminal_people,)) for path, make in d.PEOPLE_FIELDS.items()),
    *(
        (path, make, (d.server_voucher, d.terminal_reply))
        for path, make in d.VOUCHER_FIELDS.items()
        if path != "voucher.product_id"
    ),
]


def disagreements(path: str, make: Any, readers: tuple[d.Reader, ...]) -> list[str]:
    """What the readers do at both ends of a field's bounds that the table does not say."""
    least, most = d.bounds(path)
    wrong = []
    for value in (least, most):
        wrong += [
            f"{n} refuses {value}" for n, r in enumerate(readers) if not d.takes(r, make(value))
        ]
    outside = [most + 1] + ([least - 1] if least > 0 or path.endswith("_s") else [])
    for value in outside:
        wrong += [f"{n} takes {value}" for n, r in enumerate(readers) if d.takes(r, make(value))]
    return wrong


@pytest.mark.parametrize(("path", "make", "readers"), FIELDS, ids=[field[0] for field in FIELDS])
def test_signer_and_terminal_draw_the_line_where_the_table_does(
    path: str, make: Any, readers: tuple[d.Reader, ...]
) -> None:
    assert disagreements(path, make, readers) == []


@pytest.mark.parametrize("path", list(d.VOUCHER_FIELDS))
def test_a_stock_file_takes_what_a_voucher_may_be(path: str, tmp_path: Path) -> None:
    def reader(told: Any) -> None:
        d.terminal_stock(told, str(tmp_path))

    assert disagreements(path, d.VOUCHER_FIELDS[path], (reader, d.server_voucher)) == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("batch", "stock_file.batch_id"),
        ("face", "stock_file.face_minor"),
        ("count", "stock_file.vouchers"),
    ],
)
def test_a_stock_file_takes_what_a_batch_may_be(name: str, path: str, tmp_path: Path) -> None:
    def reader(told: Any) -> None:
        d.terminal_stock(told, str(tmp_path))

    least, most = d.bounds(path)
    for value, fits in ((least, True), (most, True), (most + 1, False)):
        if value < 1 << 32:
            assert d.takes(reader, d.voucher(**{name: value})) == fits, value


def test_every_row_of_the_table_is_held_by_a_test() -> None:
    held = {*SERVER, *TERMINAL_MOST, *(field[0] for field in FIELDS), *d.VOUCHER_FIELDS}
    held |= {"release.payload_path", "release.stepping_stone", "release.payloads"}
    held |= {"message.sequence", "message.boot_count", "message.battery_mv", "message.signal"}
    held |= {"message.refusal_code"}
    text = (d.ROOT / "docs/formats/limits.toml").read_text()
    rows = set()
    section = ""
    for line in text.splitlines():
        if found := re.match(r"\[([a-z_.]+)\]", line):
            section = found[1]
        elif found := re.match(r"([a-z_]+) = \[", line):
            rows.add(f"{section}.{found[1]}")
    assert rows - held == set()
    assert held - rows == set()


@pytest.mark.parametrize(
    ("path", "readers", "lax"),
    [
        # each a limit that was really held differently
        ("price_list.product.instructions", d.PRICE_READERS, {"instructions": "x" * 201}),
        ("price_list.product.name", d.PRICE_READERS, {"name": "x" * 33}),
    ],
)
def test_a_reader_that_draws_the_line_elsewhere_is_noticed(
    path: str, readers: tuple[d.Reader, ...], lax: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = product.get_field

    def other(table: Any, name: str, kind: Any, low: int, high: int) -> Any:
        return strict(table, name, kind, low, high - 1 if name in lax else high)

    assert disagreements(path, d.PRICE_FIELDS[path], readers) == []
    monkeypatch.setattr(product, "get_field", other)
    assert disagreements(path, d.PRICE_FIELDS[path], readers) != []


def test_the_longest_product_of_others_is_read() -> None:
    most = d.topup(
        id="x" * 24,
        name="😀" * 32,
        operator="😀" * 32,
        instructions="😀" * 200,
        helpline="😀" * 24,
        amount_minor=2**30 - 1,
        commission_minor=2**30 - 1,
        pin_groups=[16] * 16,
        recipient={"digits": [20, 20], "starts": ["12345678"] * 24},
        open={
            "min_minor": 2**30 - 1,
            "max_minor": 2**30 - 1,
            "step_minor": 2**30 - 1,
            "commission_permille": 1000,
        },
    )
    (found,) = d.terminal_prices(d.price_list(products=[most])).products
    assert found.open.takes(2**30 - 1) and found.recipient.takes("12345678" + "0" * 12)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "pin"},
        {"kind": "later"},
        {"kind": None},
        {"recipient": None},
        {"recipient": {"digits": [4, 20]}},
        {"recipient": {"digits": [10, 9], "starts": []}},
        {"recipient": {"digits": [10], "starts": []}},
        {"recipient": {"digits": [True, 10], "starts": []}},
        {"recipient": {"digits": [10, 10], "starts": ["07a"]}},
        {"recipient": {"digits": [10, 10], "starts": ["٠٧"]}},
        {"recipient": {"digits": [10, 10], "starts": [7]}},
        {"open": {"min_minor": 2, "max_minor": 1, "step_minor": 1, "commission_permille": 0}},
        {"open": {"min_minor": 5, "max_minor": 9, "step_minor": 2, "commission_permille": 0}},
        {"open": {"min_minor": 5, "max_minor": 9, "step_minor": 5}},
        {"open": None},
    ],
)
def test_a_product_of_others_that_is_not_as_specified_is_refused(wrong: dict[str, Any]) -> None:
    assert d.takes(d.terminal_prices, d.price_list(products=[d.topup()]))
    assert not d.takes(d.terminal_prices, d.price_list(products=[d.topup(**wrong)]))


@pytest.mark.parametrize("field", ["open", "recipient"])
def test_a_voucher_has_no_open_amount_and_no_recipient(field: str) -> None:
    other = d.topup(
        open={"min_minor": 1, "max_minor": 2, "step_minor": 1, "commission_permille": 0}
    )
    for kind in ({}, {"kind": "pin"}):
        voucher = {**d.product(), **kind}
        assert d.takes(d.terminal_prices, d.price_list(products=[voucher]))
        voucher[field] = other[field]
        assert not d.takes(d.terminal_prices, d.price_list(products=[voucher]))


# --- whatever is signed is used ---

LETTERS = st.characters(exclude_categories=["Cs"])
ODD_TEXT = st.text(LETTERS, max_size=240)
NUMBERS = st.one_of(
    st.integers(-2, 70),
    st.sampled_from([161, 200, 2**30 - 1, 2**30, 2**31, 2**32, 10**10, 202611261430, 10**15]),
)
ANY_PRODUCT = st.fixed_dictionaries(
    {
        "id": st.one_of(st.from_regex(r"\A[a-z0-9][a-z0-9_.-]{0,25}\Z"), ODD_TEXT),
        "name": ODD_TEXT,
        "operator": ODD_TEXT,
        "amount_minor": NUMBERS,
        "commission_minor": NUMBERS,
        "instructions": ODD_TEXT,
        "pin_groups": st.lists(st.integers(0, 18), max_size=18),
    }
)
ANY_LIST = st.fixed_dictionaries(
    {
        "version": NUMBERS,
        "currency": st.sampled_from(["KES", "kes", "KE", "KES\n", "É€S", "UGX"]),
        "minor_digits": st.integers(-1, 5),
        "products": st.lists(ANY_PRODUCT, max_size=66),
        "offline": st.fixed_dictionaries(dict.fromkeys(d.OFFLINE, NUMBERS)),
    }
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(ANY_LIST)
def test_a_price_list_that_is_signed_is_stored_and_sold_from(table: dict[str, Any]) -> None:
    try:
        signed = d.signer_prices(table)
    except channels.EntryError:
        return
    found = catalogue.Catalogue(signed)
    assert [(p.id, p.name, p.instructions) for p in found.products] == [
        (p["id"], p["name"], p["instructions"]) for p in table["products"]
    ]


def legal_list(dice: random.Random) -> dict[str, Any]:
    """A price list near the upper bounds in everything, most often legal."""
    texts = ["x", "é", "ṣ", "😀", '"', "\\", " "]

    def text(least: int, most: int) -> str:
        letter = dice.choice(texts)
        return letter * dice.choice([max(1, least), most, dice.randint(max(1, least), most)])

    products = [
        d.product(
            n,
            name=text(1, 32),
            operator=text(1, 32),
            instructions=text(0, 200),
            amount_minor=dice.choice([250, 5000, 2**30 - 1]),
            pin_groups=[dice.randint(1, 16)] * dice.randint(1, 16),
        )
        for n in range(dice.randint(0, 64))
    ]
    return d.price_list(version=dice.choice([1, 202611261430, 10**15 - 1]), products=products)


def test_price_lists_near_every_bound_are_signed_and_sold_from() -> None:
    dice = random.Random(20261126)
    legal = 0
    for _ in range(200):
        table = legal_list(dice)
        try:
            signed = d.signer_prices(table)
        except channels.EntryError as error:
            assert "bytes" in str(error)  # each field is legal: only the whole may be too long
            continue
        legal += 1
        found = catalogue.Catalogue(signed)
        for listed in table["products"]:
            assert found.product(listed["id"]).instructions == listed["instructions"]
    assert legal > 50


def test_a_release_entry_near_every_bound_is_signed_and_seen() -> None:
    dice = random.Random(7)
    for _ in range(300):
        changes: dict[str, Any] = {"release": dice.choice([1, 7, 2026112601, 4 * 10**9])}
        for name in dice.sample(sorted(d.ENTRY_FIELDS), 3):
            made = d.ENTRY_FIELDS[name](dice.choice(d.bounds(name)))
            changes |= {k: v for k, v in made.items() if v != d.entry().get(k) and k != "release"}
        custom = d.entry(**changes)
        path = f"stable/{custom['hardware']['class']}/{custom['release']}.full"
        custom["payloads"] = [{"kind": "full", "path": path}]
        try:
            d.signer_entry(custom)
        except channels.EntryError:
            continue
        assert d.terminal_entry(custom).release == custom["release"]


def test_a_plan_that_halts_more_than_a_terminal_reads_is_not_made() -> None:
    plan = channels.RolloutPlan()
    for number in range(1, d.bounds("rollout.halted")[1] + 1):
        plan = plan.with_halted(number, True)
    plan.check()
    assert d.takes(d.PLAN_READERS[1], plan.custom())
    with pytest.raises(channels.RolloutError):
        plan.with_halted(99, True).check()


def test_the_largest_release_entries_fit_the_metadata_that_a_terminal_reads() -> None:
    custom = d.entry(text={"a" + chr(97 + n): "x" * 200 for n in range(8)})
    assert len(d.compact(custom)) < tuf.LIMITS_BYTES["targets"]


def test_the_server_sells_at_the_bounds(shop: Shop) -> None:
    """The largest serial and PIN go from the import to the reply."""
    device = shop.enrol()
    row = f"air50,{'9' * limits.PIN_BYTES[1]},{'S' * limits.SERIAL_BYTES[1]},{limits.EXPIRY[1]}"
    with writing(shop.service.engine) as connection:
        csv = f"product,pin,serial,expiry\n{row}\n"
        incoming.import_csv(connection, shop.service.key, csv, shop.clock[0])
    reply = device.sale(1)
    d.terminal_reply(d.voucher(pin=reply[2], serial=reply[3], expires_at=reply[4], after=reply[5]))
