"""The short form of `inv fuzz`, and faults planted in the parsers that it must find."""

from __future__ import annotations

from typing import Any

import pytest

from bootloader import identity
from bootloader.recovery import smp
from bootloader.shared import canonical, cbor, control
from bootloader.shared.crypto import p256
from firmware.kept import config
from firmware.net import http
from firmware.net.modem import chat, sms
from firmware.sales import product
from tests.fuzz import targets
from tests.fuzz.__main__ import on_device, prepare, shares, try_one
from tests.fuzz.mutate import make

CORPUS = prepare()
EVERY = shares(12000, list(targets.TARGETS))


@pytest.mark.parametrize("name", list(targets.TARGETS))
def test_spoiled_input_ends_in_a_typed_error(name: str) -> None:
    findings = []
    accepted = 0
    for number in range(EVERY[name]):
        good, wrong = try_one(name, make(name, 2, number, CORPUS[name]))
        accepted += good
        if wrong:
            findings.append(f"{name}-2-{number}: {wrong}")
    assert findings == []
    assert accepted < EVERY[name], "spoiling must spoil"


@pytest.mark.parametrize("name", list(targets.TARGETS))
def test_the_examples_that_are_spoiled_are_good_ones(name: str) -> None:
    assert any(try_one(name, data)[0] for data in CORPUS[name])


@pytest.mark.parametrize("name", ["config", "cbor", "metadata", "payload", "delta", "patch"])
def test_a_sample_holds_on_the_boards_interpreter_and_heap(name: str) -> None:
    accepted, free_bytes, findings = on_device(name, 3, 0, 60, CORPUS)
    assert findings == []
    assert free_bytes > 0
    here = sum(try_one(name, make(name, 3, n, CORPUS[name]))[0] for n in range(60))
    assert name == "config" or accepted == here, "both interpreters judge alike"


def greedy(self: Any, count: int) -> Any:
    """Allocates what a length says before it looks whether so much is there."""
    start = self.at
    self.at = start + count
    return memoryview(bytes(self.data[start : self.at]) + bytes(count))[:count]


FAULTS: list[tuple[str, str, Any, str, Any]] = [
    # target, the failure it stands for, where, name, what takes its place
    ("cbor", "a length is believed", cbor.Reader, "take", greedy),
    ("json", "the end is not seen", canonical._Reader, "next", lambda self: self.data[self.at]),
    ("http", "a number is what int() takes", http, "_is_number", lambda text, digits=None: True),
    ("config", "a type is not checked", config, "_need", lambda table, name, *of: table[name]),
    ("identity", "a field is believed", identity, "Identity", lambda *of: of[0].hex()),
    ("control", "an unknown state is believed", control, "SLOT_STATES", {}),
    ("smp", "a broken frame kills recovery", smp, "crc16", lambda data: data[len(data)]),
    ("at", "a line has no end", chat, "LINE_LIMIT_BYTES", 10**9),
    ("keys", "DER is cut short", p256, "_signature", lambda data: data[data[1] + 1]),
    ("sms", "a message has no bound", sms, "DATA_BYTES", 10**9),
    ("catalogue", "a product without an id", product, "Product", lambda table: table["id"]),
]


@pytest.mark.parametrize(
    ("name", "failure", "module", "attribute", "fault"), FAULTS, ids=[f[1] for f in FAULTS]
)
def test_a_planted_fault_is_found(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    failure: str,
    module: Any,
    attribute: str,
    fault: Any,
) -> None:
    monkeypatch.setattr(module, attribute, fault)
    for number in range(5000):
        if try_one(name, make(name, 4, number, CORPUS[name]))[1]:
            return
    pytest.fail(f"5000 inputs do not show that {failure}")


def test_an_id_makes_the_same_input_again() -> None:
    first = make("json", 5, 17, CORPUS["json"])
    assert first == make("json", 5, 17, CORPUS["json"])
    assert first != make("json", 5, 18, CORPUS["json"])
    assert first != make("json", 6, 17, CORPUS["json"])
