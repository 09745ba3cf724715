"""The CBOR of messages: read as RFC 8949 says, written deterministically, and nothing else
accepted.
"""

from __future__ import annotations

import json
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootloader.shared import cbor
from tests.support.micropython import BOTH
from tests.trust.device import HERE, on_device

APPENDIX_A: dict[str, list[str]] = json.loads((HERE / "rfc8949_appendix_a.json").read_text())

READ = """
from bootloader.shared import cbor
for text, strict in data:
    try:
        out.append(cbor.dumps(cbor.loads(bytes.fromhex(text), strict=strict)).hex())
    except cbor.CborError as error:
        out.append("refused: " + str(error))
"""


@pytest.mark.parametrize("interpreter", BOTH)
def test_every_example_of_the_rfc_is_read_or_refused_as_we_say(interpreter: str) -> None:
    assert sum(len(group) for group in APPENDIX_A.values()) == 82
    strict = APPENDIX_A["accepted"]
    loose = APPENDIX_A["accepted_when_not_strict"]
    refused = APPENDIX_A["refused"]
    cases = [(text, True) for text in strict + loose + refused]
    cases += [(text, False) for text in strict + loose + refused]
    read = dict(zip(cases, on_device(interpreter, READ, cases), strict=True))
    for text in strict:
        assert read[text, True] == read[text, False] == text  # all examples are deterministic
    for text in loose:
        assert read[text, True].startswith("refused: indefinite"), text
        assert cbor2.loads(bytes.fromhex(read[text, False])) == cbor2.loads(bytes.fromhex(text))
    for text in refused:
        assert read[text, True].startswith("refused: "), text
        assert read[text, False].startswith("refused: "), text


BOMBS = {
    "a byte string of four gigabytes": ("5affffffff", "cut short"),
    "a text of sixteen exabytes": ("7bffffffffffffffff", "cut short"),
    "an array of four billion": ("9affffffff", "cut short"),
    "a map of sixteen quintillion": ("bbffffffffffffffff", "cut short"),
    "a thousand arrays in each other": ("81" * 1000 + "00", "nested too deep"),
    "a thousand maps in each other": ("a100" * 1000 + "00", "nested too deep"),
    "two thousand nulls": ("9907d0" + "f6" * 2000, "too many items"),
    "arrays of empty arrays": ("9903e8" + "80" * 1000 + "80" * 1000, "bytes after"),
    "more bytes than a message has": ("59ffff" + "00" * 65535, "too long"),
    "an array without end": ("9f" + "00" * 2000, "too many items"),
    "a map without end": ("bf" + "".join(f"19{i:04x}00" for i in range(256, 1500)), "too many"),
}


@pytest.mark.parametrize("interpreter", BOTH)
def test_bombs_are_refused_before_anything_is_allocated(interpreter: str) -> None:
    # A heap that holds these vectors (most of it is the longest one, as hex) and no bomb that goes
    # off.
    read = on_device(
        interpreter, READ, [(text, False) for text, _ in BOMBS.values()], heap_bytes=640 * 1024
    )
    for (name, (_, reason)), answer in zip(BOMBS.items(), read, strict=True):
        assert answer.startswith("refused: ") and reason in answer, (name, answer)


REFUSED = {
    "": "cut short",
    "18": "cut short",
    "1817": "shortest",
    "1900ff": "shortest",
    "1a0000ffff": "shortest",
    "1b00000000ffffffff": "shortest",
    "5800": "shortest",
    "9801f6": "shortest",
    "1c": "reserved",
    "1f": "reserved",
    "ff": "stray break",
    "0000": "bytes after",
    "61ff": "UTF-8",
    "62c080": "UTF-8",  # overlong
    "63eda080": "UTF-8",  # a surrogate
    "64f4908080": "UTF-8",  # beyond U+10FFFF
    "a201000100": "duplicate key",
    "a2616101616102": "duplicate key",
    "a1f500": "a key is",  # True == 1 in Python
    "a1f600": "a key is",
    "a18000": "nested",
    "a101": "cut short",
    "8201": "cut short",
}


@pytest.mark.parametrize("interpreter", BOTH)
def test_what_is_not_well_formed_or_not_deterministic_is_refused(interpreter: str) -> None:
    body = READ.replace(
        "cbor.dumps(cbor.loads(bytes.fromhex(text), strict=strict)).hex()",
        """str(
            cbor.loads(bytes.fromhex(text), strict=strict))""",
    )
    read = on_device(interpreter, body, [(text, True) for text in REFUSED])
    for (text, reason), answer in zip(REFUSED.items(), read, strict=True):
        assert answer.startswith("refused: ") and reason in answer, (text, answer)


def test_other_peoples_longer_forms_are_read_where_strictness_is_waived() -> None:
    assert cbor.loads(bytes.fromhex("bf616f1a00000005ff"), strict=False) == {"o": 5}


def test_limits_are_the_callers_to_choose() -> None:
    assert cbor.loads(bytes.fromhex("82f6f6"), max_items=3, max_depth=1) == [None, None]
    with pytest.raises(cbor.CborError, match="too many"):
        cbor.loads(bytes.fromhex("82f6f6"), max_items=2)
    with pytest.raises(cbor.CborError, match="deep"):
        cbor.loads(bytes.fromhex("8180"), max_depth=1)
    with pytest.raises(cbor.CborError, match="too long"):
        cbor.loads(bytes.fromhex("82f6f6"), max_bytes=2)


def test_a_value_with_other_bytes_behind_it_says_where_it_ends() -> None:
    assert cbor.load_prefix(bytes.fromhex("8201f6ffff")) == ([1, None], 3)


@pytest.mark.parametrize(
    "value", [1.5, 1 << 64, -(1 << 64) - 1, {True: 1}, {(1,): 1}, {None: 1}, object(), "\ud800"]
)
def test_what_cannot_be_read_back_is_not_written(value: object) -> None:
    with pytest.raises(cbor.CborError):
        cbor.dumps(value)


def test_a_value_that_holds_itself_is_not_written() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(cbor.CborError, match="deep"):
        cbor.dumps(value)


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_key = st.one_of(st.integers(-(1 << 64), (1 << 64) - 1), _text, st.binary(max_size=30))
_leaf = st.one_of(_key, st.booleans(), st.none())
_value = st.recursive(
    _leaf,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(_key, inner, max_size=5)),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(_value)
def test_another_implementation_reads_what_we_write_and_the_other_way_round(value: Any) -> None:
    ours = cbor.dumps(value)
    assert cbor2.loads(ours) == value
    assert cbor.loads(ours, max_depth=20) == value
    assert cbor.loads(cbor2.dumps(value), max_depth=20) == value


@settings(max_examples=2000, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_another_implementation_reads_them_or_refused(data: bytes) -> None:
    for strict in (True, False):
        try:
            value = cbor.loads(data, strict=strict)
        except cbor.CborError:
            continue
        assert cbor2.loads(data) == value


def test_map_keys_are_sorted_by_their_encoded_bytes() -> None:
    # RFC 8949 section 4.2.1 gives this order.
    keys = [10, 100, -1, "z", "aa"]
    encoded = cbor.dumps(dict.fromkeys(reversed(keys), None))
    assert list(cbor.loads(encoded)) == keys
