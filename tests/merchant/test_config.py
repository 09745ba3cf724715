"""Settings are taken whole or refused by name; wrong PINs survive a power cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from firmware.kept.config import MAX_BYTES, Config, ConfigError, load
from firmware.kept.memory import Memory

GOOD: dict[str, Any] = {
    "server": {"host": "127.0.0.1", "port": 8080},
    "apn": "internet",
    "channel": "stable",
    "catalogue": "catalogue/default.json",
    "merchant": {
        "name": "Mama Asha Shop",
        "pin_salt": "00" * 16,
        "pin_hash": "ab" * 32,
        "pin_rounds": 2000,
    },
    "language": "en",
    "poll_s": 900,
    "sync_s": 300,
}


def changed(path: str, value: object) -> str:
    """GOOD as JSON with one field replaced, or taken out when `value` is Ellipsis."""
    table = json.loads(json.dumps(GOOD))
    inner = table
    *above, name = path.split(".")
    for step in above:
        inner = inner[step]
    if value is ...:
        del inner[name]
    else:
        inner[name] = value
    return json.dumps(table)


def test_good_settings_are_taken_as_they_are() -> None:
    config = Config(json.dumps(GOOD))
    assert (config.host, config.port, config.merchant_name) == ("127.0.0.1", 8080, "Mama Asha Shop")
    assert config.pin_hash == b"\xab" * 32 and config.utc_offset_s == 0


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("server", ...),
        ("server", "127.0.0.1"),
        ("server.host", ""),
        ("server.port", 0),
        ("server.port", 65536),
        ("server.port", "80"),
        ("server.port", True),
        ("apn", 5),
        ("channel", ""),
        ("catalogue", None),
        ("language", "english"),
        ("poll_s", 0),
        ("poll_s", 1.5),
        ("sync_s", -1),
        ("utc_offset_s", 99999),
        ("merchant", []),
        ("merchant.name", "x" * 33),
        ("merchant.pin_salt", "00" * 15),
        ("merchant.pin_hash", "zz" * 32),
        ("merchant.pin_hash", "+1" * 32),
        ("merchant.pin_rounds", 0),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(path: str, value: object) -> None:
    with pytest.raises(ConfigError, match=path.split(".")[-1]):
        Config(changed(path, value))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '"x"', "\x00"])
def test_what_is_no_settings_file_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        Config(text)


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(" " * MAX_BYTES + json.dumps(GOOD))
    with pytest.raises(ConfigError, match="over"):
        load(str(path))


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="missing"):
        load(str(tmp_path / "config.json"))


def test_what_is_remembered_outlives_a_power_cut(tmp_path: Path) -> None:
    path = str(tmp_path / "merchant.json")
    Memory(path).put("wrong", 4)
    assert Memory(path).get("wrong", 0) == 4


def test_a_cut_while_remembering_leaves_the_old_state(tmp_path: Path) -> None:
    path = tmp_path / "merchant.json"
    Memory(str(path)).put("wrong", 4)
    (tmp_path / "merchant.json.new").write_text('{"wro')
    assert Memory(str(path)).get("wrong", 0) == 4


@pytest.mark.parametrize("text", ["", "[]", '{"wrong": "many"}', '{"wrong": true}', "\xff"])
def test_a_spoiled_memory_counts_as_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "merchant.json"
    path.write_text(text, encoding="latin-1")
    assert Memory(str(path)).get("wrong", 0) == 0
