"""The map inside a message, read key by key with every type and range checked. For the terminals'
face.

What is read here was sealed by a terminal, and is believed no further: whatever does not fit its
format is a `BadMessage` that names the key.
"""

from __future__ import annotations

from typing import Any

from updater_server.wire import cbor, limits

UINT63 = (1 << 63) - 1
"""As much as a database's column holds."""


class BadMessage(Exception):
    """An authentic message whose content breaks its format."""


class Content:
    """The map inside a message, read key by key with every type and range checked."""

    def __init__(self, data: bytes) -> None:
        try:
            value = cbor.loads(data)
        except cbor.CborError as error:
            raise BadMessage(f"content: {error}") from error
        if not isinstance(value, dict):
            raise BadMessage("the content is not a map")
        self._map = value

    def has(self, key: int) -> bool:
        """Whether the key is there at all."""
        return key in self._map

    def uint(self, key: int, highest: int = limits.UINT32) -> int:
        """An unsigned integer."""
        return check_uint(self._map.get(key), key, highest)

    def integer(self, key: int) -> int:
        """An integer of either sign (an own float may be below zero)."""
        value = self._map.get(key)
        if type(value) is not int or abs(value) > UINT63:
            raise BadMessage(f"key {key}: an integer is needed")
        return value

    def text(self, key: int, longest: int) -> str:
        """Text of 1 to `longest` characters."""
        return check_text(self._map.get(key), key, longest)

    def flag(self, key: int) -> bool:
        """True or false."""
        value = self._map.get(key)
        if not isinstance(value, bool):
            raise BadMessage(f"key {key}: true or false is needed")
        return value

    def octets(self, key: int, size: int) -> bytes:
        """Exactly `size` bytes."""
        value = self._map.get(key)
        if not isinstance(value, bytes) or len(value) != size:
            raise BadMessage(f"key {key}: {size} bytes are needed")
        return value

    def said(self, key: int) -> object:
        """Whatever stands under the key, unchecked; None if nothing does."""
        return self._map.get(key)

    def items(self, key: int) -> list[Any]:
        """An array; its elements are the caller's to check."""
        value = self._map.get(key)
        if not isinstance(value, list):
            raise BadMessage(f"key {key}: an array is needed")
        return value

    def optional_items(self, key: int) -> list[Any] | None:
        """An array or null; the key must be there."""
        if key in self._map and self._map[key] is None:
            return None
        return self.items(key)


def check_text(value: object, key: int, longest: int) -> str:
    """`value` if it is text of 1 to `longest` characters, else BadMessage naming `key`."""
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise BadMessage(f"key {key}: text of up to {longest} characters is needed")
    return value


def check_uint(value: object, key: int, highest: int = limits.UINT32) -> int:
    """`value` if it is an unsigned integer up to `highest`, else BadMessage naming `key`."""
    if type(value) is not int or not 0 <= value <= highest:
        raise BadMessage(f"key {key}: an unsigned integer is needed")
    return value
