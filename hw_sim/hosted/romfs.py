"""Reads MicroPython's ROMFS out of the flash's bytes.

Format: https://docs.micropython.org/en/latest/reference/romfs.html. Numbers are big-endian, seven
bits a byte; a record is a kind, the length of its payload, and the payload.
"""

from __future__ import annotations

from typing import Final

MAGIC: Final = b"\xd2\xcd\x31"
_VERBATIM, _POINTER, _FOLDER, _FILE = 2, 3, 4, 5

Tree = dict[str, "Tree | memoryview"]
"""A folder: its entries by name, folders as trees, files as their bytes in the image."""


class RomfsError(ValueError):
    """The bytes are no ROMFS."""


def read(image: memoryview) -> Tree:
    """The folders and files of an image.

    Raises:
        RomfsError: it is none, or is cut off.
    """
    if bytes(image[:3]) != MAGIC:
        raise RomfsError("no ROMFS begins here")
    try:
        size, at = _number(image, 3)
        if at + size > len(image):
            raise RomfsError("the ROMFS is cut off")
        return _folder(image, at, at + size)
    except (IndexError, UnicodeDecodeError) as error:
        raise RomfsError(f"the ROMFS is damaged: {error}") from error


def _number(image: memoryview, at: int) -> tuple[int, int]:
    value = 0
    while True:
        byte = image[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at


def _folder(image: memoryview, at: int, end: int) -> Tree:
    tree: Tree = {}
    while at < end:
        kind, at = _number(image, at)
        size, at = _number(image, at)
        after = at + size
        if after > end:
            raise RomfsError("a record of the ROMFS reaches past its folder")
        if kind in (_FOLDER, _FILE):
            length, at = _number(image, at)
            name = str(image[at : at + length], "utf-8")
            if kind == _FOLDER:
                tree[name] = _folder(image, at + length, after)
            else:
                tree[name] = _content(image, at + length, after)
        at = after
    return tree


def _content(image: memoryview, at: int, end: int) -> memoryview:
    while at < end:
        kind, at = _number(image, at)
        size, at = _number(image, at)
        if kind == _VERBATIM:
            return image[at : at + size]
        if kind == _POINTER:
            length, at = _number(image, at)
            start, at = _number(image, at)
            return image[start : start + length]
        at += size
    return image[:0]
