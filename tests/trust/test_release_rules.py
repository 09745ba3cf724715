"""What a signed release entry must say before this terminal takes it, and a catalogue before it
sells from it.
"""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest

from tests.support.micropython import BOTH
from tests.trust.device import on_device

PATH = "stable/duka-r1/7.full"
SHA = hashlib.sha256(b"image").hexdigest()
BASE = hashlib.sha256(b"base").hexdigest()

ENTRY: dict[str, Any] = {
    "length": 40000,
    "hashes": {"sha256": SHA},
    "custom": {
        "release": 7,
        "version": "1.1.0",
        "commit": "0123abcd",
        "built": 1790000000,
        "security_version": 3,
        "hardware": {"class": "duka-r1", "revisions": [1, 2]},
        "min_bootloader": 2,
        "stepping_stone": 5,
        "journal": {"reads": [1, 2], "writes": 2},
        "image": {"size_bytes": 81234, "sha256": SHA},
        "payloads": [
            {"kind": "full", "path": PATH},
            {"kind": "delta", "path": "stable/duka-r1/7-from-6.delta", "base_sha256": BASE},
            {"kind": "something-new", "path": "x"},
        ],
        "trial": {
            "crashes_allowed": 2,
            "unconfirmed_boots_allowed": 16,
            "selftest_deadline_s": 300,
        },
        "gate": {"battery_mv": 3600, "unsynced_records": 50, "idle_s": 10},
        "text": {"en": "Faster receipts", "sw": "Risiti haraka"},
        "something_new": {"x": 1},
    },
}

FACTS: dict[str, Any] = {
    "channel": "stable",
    "hardware_class": "duka-r1",
    "hardware_revision": 1,
    "bootloader_version": 2,
    "security_version": 3,
    "release": 6,
    "journal_version": 1,
    "slot_size_bytes": 81234,
    "refused": [],
    "journal_reads": [1, 2],
}

TERMINAL = """
from bootloader.shared import release
class Slot:
    pass
class Board:
    pass
class Everybody:
    def check(self, number):
        pass
    def keep_pace(self, found):
        pass
def terminal(facts):
    board, slot = Board(), Slot()
    board.HARDWARE_CLASS = facts["hardware_class"]
    board.HARDWARE_REVISION = facts["hardware_revision"]
    board.BOOTLOADER_VERSION = facts["bootloader_version"]
    slot.size_bytes = facts["slot_size_bytes"]
    board.partitions = {"slot_a": slot}
    named = ("channel", "release", "journal_version", "journal_reads", "refused")
    running = release.Running(*[facts[name] for name in named], Everybody())
    return board, facts["security_version"], running
"""

JUDGE = (
    TERMINAL
    + """
for path, entry, facts in data:
    try:
        made = release.Release.parse(path, entry)
        board, security_version, running = terminal(facts)
        release.fits(made, board, security_version)
        release.is_upgrade(made, running)
        out.append("taken")
    except release.ReleaseRefused as refused:
        out.append([refused.reason, str(refused)])
"""
)


def bent(document: Any, path: str, value: object) -> Any:
    """A copy with the field at the dotted path set, or removed if the value is `...`."""
    made = copy.deepcopy(document)
    *way, last = path.split(".")
    inside = made
    for name in way:
        inside = inside[int(name)] if isinstance(inside, list) else inside[name]
    if value is ...:
        del inside[last]
    elif isinstance(inside, list):
        inside[int(last)] = value
    else:
        inside[last] = value
    return made


RULES: dict[str, dict[str, object]] = {
    "channel": {"channel": "beta"},
    "hardware_class": {"hardware_class": "duka-r2"},
    "hardware_revision": {"hardware_revision": 3},
    "not_newer": {"release": 7},
    "refused": {"refused": [7]},
    "security_version": {"security_version": 4},
    "bootloader": {"bootloader_version": 1},
    "stepping_stone": {"release": 4},
    "journal": {"journal_version": 3},
    "journal ": {"journal_reads": [1]},
    "size": {"slot_size_bytes": 81233},
}


@pytest.mark.parametrize("interpreter", BOTH)
def test_each_rule_alone_refuses_a_release_and_none_takes_it(interpreter: str) -> None:
    cases = [(PATH, ENTRY, FACTS)]
    cases += [(PATH, ENTRY, {**FACTS, **change}) for change in RULES.values()]
    answers = on_device(interpreter, JUDGE, cases)
    assert answers[0] == "taken"
    assert [answer[0] for answer in answers[1:]] == [name.strip() for name in RULES]


MALFORMED: list[tuple[str, object]] = [
    ("custom", ...),
    ("custom", []),
    *((f"custom.{name}", ...) for name in ENTRY["custom"] if name != "something_new"),
    ("custom.release", 0),
    ("custom.release", True),
    ("custom.release", "7"),
    ("custom.release", 8),
    ("custom.release", 1 << 40),
    ("custom.security_version", -1),
    ("custom.hardware.class", "duka-r2"),
    ("custom.hardware.class", 1),
    ("custom.hardware.revisions", []),
    ("custom.hardware.revisions", ["1"]),
    ("custom.hardware.revisions", [True]),
    ("custom.journal.reads", 1),
    ("custom.journal.writes", ...),
    ("custom.image.size_bytes", 0),
    ("custom.image.sha256", SHA[:-2]),
    ("custom.image.sha256", "zz" * 32),
    ("custom.image.sha256", SHA[:-3] + " 12"),
    ("custom.payloads", []),
    ("custom.payloads", [{"kind": "something-new", "path": "x"}]),
    ("custom.payloads.0.path", "stable/duka-r1/6.full"),
    ("custom.payloads.0", "full"),
    ("custom.payloads.1.path", "stable/duka-r1/8-from-6.delta"),
    ("custom.payloads.1.path", "/etc/passwd"),
    ("custom.payloads.1.base_sha256", ...),
    ("custom.trial.crashes_allowed", -1),
    ("custom.trial.unconfirmed_boots_allowed", 0),
    ("custom.trial.selftest_deadline_s", 0),
    ("custom.gate.battery_mv", None),
    ("custom.gate.idle_s", 1000000),
    ("custom.text", "Faster"),
    ("custom.text.en", 1),
]


@pytest.mark.parametrize("interpreter", BOTH)
def test_an_entry_with_anything_missing_or_mistyped_is_refused_with_the_field(
    interpreter: str,
) -> None:
    cases = [(PATH, bent(ENTRY, path, value), FACTS) for path, value in MALFORMED]
    cases += [
        (path, ENTRY, FACTS)
        for path in ("beta/duka-r2/7.full", "stable/duka-r1/07.full", "stable/duka-r1/7", "7.full")
    ]
    payload = [{"kind": "full", "path": "stable/duka-r1/07.full"}]
    cases += [("stable/duka-r1/07.full", bent(ENTRY, "custom.payloads", payload), FACTS)]
    answers = on_device(interpreter, JUDGE, cases)
    for case, answer in zip([*MALFORMED, *[("path", "")] * 5], answers, strict=True):
        assert answer[0] == "malformed", (case, answer)
        assert ": " in answer[1]


@pytest.mark.parametrize("interpreter", BOTH)
def test_a_release_says_all_that_the_installer_needs(interpreter: str) -> None:
    body = """
from bootloader.shared.release import Release
r = Release.parse(*data)
base, other = bytes.fromhex(r.payloads[1].base_sha256.hex()), bytes(32)
out = [r.release, r.version, r.security_version, r.image_size_bytes, r.image_sha256.hex(),
       r.crashes_allowed, r.unconfirmed_boots_allowed, r.selftest_deadline_s, r.gate_battery_mv,
       r.gate_unsynced_records, r.gate_idle_s, [p.kind for p in r.payloads_for(base)],
       [p.kind for p in r.payloads_for(other)], [p.kind for p in r.payloads_for(None)],
       r.merchant_text("sw"), r.merchant_text("fr")]
"""
    assert on_device(interpreter, body, [PATH, ENTRY]) == [
        *[7, "1.1.0", 3, 81234, SHA, 2, 16, 300, 3600, 50, 10],
        *[["delta", "full"], ["full"], ["full"], "Risiti haraka", "Faster receipts"],
    ]


def numbered(number: int, **custom: object) -> dict[str, Any]:
    path = f"stable/duka-r1/{number}.full"
    made = bent(ENTRY, "custom.payloads", [{"kind": "full", "path": path}])
    made["custom"] |= {"release": number, **custom}
    return {path: made}


@pytest.mark.parametrize("interpreter", BOTH)
def test_the_highest_release_that_fits_is_chosen_and_the_others_are_explained(
    interpreter: str,
) -> None:
    targets = {
        **numbered(7),
        **numbered(10, security_version=2),
        **numbered(9),
        **numbered(11, stepping_stone=9),
        **numbered(12, journal=7),
        **numbered(5),
        "stable/duka-r2/99.full": {},
        "stable/duka-r1/9-from-7.delta": {},
        "stable/duka-r1/x.full": {},
        "stable/duka-r1/99999999999.full": {},
    }
    body = (
        TERMINAL
        + """
for targets, facts in data:
    log = []
    made = release.choose(targets, *terminal(facts), log.append)
    out.append([made and made.release, [refused.reason for refused in log]])
"""
    )
    cases = [
        (targets, FACTS),
        (targets, {**FACTS, "refused": [9]}),
        (targets, {**FACTS, "release": 9}),
        (targets, {**FACTS, "release": 12}),
        ({}, FACTS),
    ]
    passed_over = ["malformed", "stepping_stone", "security_version"]
    assert on_device(interpreter, body, cases) == [
        [9, passed_over],
        [7, [*passed_over, "refused"]],
        [11, ["malformed"]],
        [None, []],
        [None, []],
    ]


CATALOGUE: dict[str, Any] = {
    "version": 3,
    "currency": "KES",
    "minor_digits": 2,
    "products": [
        {
            "id": f"air{amount}",
            "name": f"Savanna {amount}",
            "operator": "Savanna",
            "amount_minor": amount * 100,
            "commission_minor": amount * 5,
            "instructions": "Dial *130*PIN#",
            "pin_groups": [4, 4, 4, 4],
        }
        for amount in (20, 50)
    ],
    "offline": {
        "max_amount_minor": 10000,
        "max_count": 2,
        "max_total_minor": 20000,
        "max_age_s": 259200,
    },
}

BAD_CATALOGUES: list[tuple[str, object]] = [
    *((name, ...) for name in CATALOGUE),
    *((f"products.0.{name}", ...) for name in CATALOGUE["products"][0]),
    *((f"offline.{name}", ...) for name in CATALOGUE["offline"]),
    ("version", 0),
    ("currency", "kes"),
    ("currency", "K3S"),
    ("minor_digits", 9),
    ("products", {}),
    ("products", [1]),
    ("products.1.id", "air20"),
    ("products.1.id", ""),
    ("products.1.amount_minor", 0),
    ("products.1.amount_minor", -5000),
    ("products.1.amount_minor", "5000"),
    ("products.1.amount_minor", 1 << 31),
    ("products.1.commission_minor", 5001),
    ("products.1.commission_minor", -1),
    ("products.1.name", "x" * 33),
    ("products.1.pin_groups", []),
    ("products.1.pin_groups", [0]),
    ("products.1.pin_groups", [4, "4"]),
    ("offline.max_count", -1),
    ("offline.max_total_minor", True),
]


@pytest.mark.parametrize("interpreter", BOTH)
def test_a_catalogue_is_taken_whole_or_not_at_all(interpreter: str) -> None:
    body = """
from firmware.sales import catalogue
for text in data:
    try:
        found = catalogue.Catalogue(bytes.fromhex(text))
        products = [[p.id, p.amount_minor] for p in found.products]
        out.append([found.version, found.currency, products])
    except catalogue.CatalogueError as error:
        out.append("refused: " + str(error))
"""
    bad = [json.dumps(bent(CATALOGUE, *change)).encode() for change in BAD_CATALOGUES]
    bad += [b"", b"[]", b"{}", b"x" * 20000, json.dumps(CATALOGUE).replace("5000", "50.5").encode()]
    good = json.dumps(CATALOGUE).encode()
    answers = on_device(interpreter, body, [text.hex() for text in [good, *bad]])
    products = [[p["id"], p["amount_minor"]] for p in CATALOGUE["products"]]
    assert answers[0] == [CATALOGUE["version"], CATALOGUE["currency"], products]
    for text, answer in zip(bad, answers[1:], strict=True):
        assert str(answer).startswith("refused: "), text
    assert "product 2: " in answers[1 + BAD_CATALOGUES.index(("products.1.amount_minor", 0))]
