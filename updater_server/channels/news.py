"""All that is new in the metadata since a terminal looked last, in one answer, as a patch to the
files that it has. For the files' face. The format: docs/formats/release.md.

Nothing here is trusted by anybody: what the patch makes are the signed files, byte for byte.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from pathlib import Path
from urllib.parse import quote

from updater_server.channels import patch
from updater_server.channels.preset import PRESET

_ASKED = re.compile(r"(\d{1,18})\.(\d{1,18})\.([a-z]{1,16})(\.1)?")
_NO_SNAPSHOT = "0"
CHECK_BYTES = 4
LENGTH_BYTES = 2
IMAGE_LIMIT_BYTES = 12 * 1024
_FILE_LIMIT_BYTES = 12 * 1024


def news(metadata: Path, asked: str) -> bytes | None:
    """What is new in `metadata` for `asked`: "<root version>.<snapshot version>.<channel>.1"; of
    terminals of before without the last, which names the preset dictionary.

    None if it must be asked for file by file: nothing of that version is there, a root is newer, or
    it is more than a terminal has room for.
    """
    match = _ASKED.fullmatch(asked)
    if not match:
        return None
    root, snapshot, channel, has_preset = match.groups()
    roles = ("targets", channel, "catalogue", f"rollout-{channel}")
    try:
        if (metadata / f"{int(root) + 1}.root.json").exists():
            return None
        has_root_only = bool(has_preset) and snapshot == _NO_SNAPSHOT
        had = {} if has_root_only else _versions(metadata / f"{snapshot}.snapshot.json")
        timestamp = _read(metadata / "timestamp.json")
        newest = str(_meta(timestamp)["snapshot.json"])
        has = _versions(metadata / f"{newest}.snapshot.json")
        base = [_read(metadata / f"{root}.root.json")]
        if not has_root_only:
            base.append(_read(metadata / f"{snapshot}.snapshot.json"))
        base += [_of_role(metadata, role, had[role]) for role in roles if role in had]
        base.append(PRESET if has_preset else b"")
        new = [timestamp]
        new.append(b"" if newest == snapshot else _read(metadata / f"{newest}.snapshot.json"))
        for role in roles:
            is_new = role in has and has[role] != had.get(role)
            new.append(_of_role(metadata, role, has[role]) if is_new else b"")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    image = b"".join(len(file).to_bytes(LENGTH_BYTES, "big") + file for file in new)
    return _coded(b"".join(base), image) if len(image) <= IMAGE_LIMIT_BYTES else None


@functools.lru_cache(256)
def _coded(base: bytes, image: bytes) -> bytes | None:
    """Most terminals ask from the same place."""
    try:
        made = patch.make(base, image)
    except patch.TooLong:
        return None
    check = hashlib.sha256(base + image).digest()[:CHECK_BYTES]
    return check + len(image).to_bytes(LENGTH_BYTES, "big") + made


def _read(file: Path) -> bytes:
    data = file.read_bytes()
    if len(data) > _FILE_LIMIT_BYTES:
        raise ValueError(f"{file} is too large")
    return data


def _of_role(metadata: Path, role: str, version: int) -> bytes:
    return _read(metadata / f"{version}.{quote(role, safe='')}.json")


def _meta(data: bytes) -> dict[str, int]:
    meta = json.loads(data)["signed"]["meta"]
    return {name: int(listed["version"]) for name, listed in meta.items()}


def _versions(snapshot: Path) -> dict[str, int]:
    """{role: the version that a snapshot lists}."""
    return {name.removesuffix(".json"): number for name, number in _meta(_read(snapshot)).items()}
