"""Signed JSON is read in one way only, and encoded as the signer encoded it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.formats import encode_canonical

from bootloader.shared import canonical
from tests.support.micropython import BOTH
from tests.trust.device import on_device

READ = """
from bootloader.shared import canonical
for text in data:
    try:
        value = canonical.loads(bytes.fromhex(text), 4096)
        out.append(bytes(canonical.encode(value)).hex())
    except canonical.JsonError as error:
        out.append("refused: " + str(error))
"""

REFUSED = {
    b'{"a":1,"a":2}': "duplicate key",
    b'{"a":1,"\\u0061":2}': "duplicate key",
    b"1.0": "fraction",
    b"1e3": "fraction",
    b"NaN": "no value",
    b"-Infinity": "integer",
    b"1234567890123456789": "18 digits",
    b"01": "integer",
    b"+1": "no value",
    b"[1 2]": "comma",
    b'{"a" 1}': "colon",
    b"[1,]": "no value",
    b'{"a":1,}': "a key",
    b"{1:2}": "a key",
    b"[": "no value",
    b"": "no value",
    b"[] []": "after the value",
    b"nul": "no value",
    b'"a': "without end",
    b'"\\"': "without end",
    b'"\\x41"': "escape",
    b'"\\u12"': "hex",
    b'"\\u1 2 "': "hex",
    b'"\\ud800"': "half a character",
    b'"\\ud800\\ud800"': "half a character",
    b'"\\ud800x"': "half a character",
    b'"\\udc00"': "half a character",
    b'"\xff"': "UTF-8",
    b'"\xc0\x80"': "UTF-8",
    b'"\xed\xa0\x80"': "UTF-8",
    b'"\x01"': "control",
    b'"\n"': "control",
    b"\xef\xbb\xbf1": "no value",
    b"[" * 17 + b"]" * 17: "deep",
    b"[" * 4000: "deep",
    b'{"a":' * 800: "deep",
    b"[" + b"[]," * 1100 + b"[]]": "too many",
    b"[" + b" " * 5000 + b"]": "longer",
    b'"' + b'\\"' * 2000: "without end",
}


@pytest.mark.parametrize("interpreter", BOTH)
def test_what_two_parsers_could_read_differently_is_refused(interpreter: str) -> None:
    got = on_device(interpreter, READ, [text.hex() for text in REFUSED])
    for (text, reason), answer in zip(REFUSED.items(), got, strict=True):
        assert answer.startswith("refused: ") and reason in answer, (text[:40], answer)


@pytest.mark.parametrize("interpreter", BOTH)
def test_the_encoding_is_the_one_that_signatures_are_made_over(interpreter: str) -> None:
    values: list[Any] = [
        {"b": [1, -2, 0], "a": {"z": None, "y": True, "x": False}, "": ""},
        {"text": 'a "quoted" \\ path / with\ttab \u0007 ü 水 𐅑'},
        [[], {}, [[]], ""],
        {"ä": 1, "z": 2, "a": 3, "Z": 4},
        -999999999999999999,
    ]
    texts = [json.dumps(v) for v in values] + [
        json.dumps(v, ensure_ascii=False, indent=2) for v in values
    ]
    got = on_device(interpreter, READ, [text.encode().hex() for text in texts])
    assert [bytes.fromhex(text).decode() for text in got] == [
        encode_canonical(v) for v in values * 2
    ]


_leaf = st.one_of(
    st.integers(-(10**17), 10**17),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.booleans(),
    st.none(),
)
_value = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=4
        ),
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(_value, st.booleans(), st.sampled_from([None, 1]))
def test_whatever_the_host_writes_is_read_and_encoded_alike(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    read = canonical.loads(text, 100_000, 30)
    assert read == value
    assert bytes(canonical.encode(read)).decode() == encode_canonical(value)


@settings(max_examples=2000, deadline=None)
@given(st.text(alphabet='{}[],:"\\u0a1e-. tfn\x01ülsr', max_size=30).map(str.encode))
def test_any_text_is_read_as_the_host_reads_it_or_refused(text: bytes) -> None:
    try:
        value = canonical.loads(text, 1000)
    except canonical.JsonError:
        return
    assert json.loads(text) == value
