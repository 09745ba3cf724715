"""What waits, or is drafted, in words: with the files behind its hashes and what is in force to
compare with, as far as they are in the folder. For `channels` and the tools; the words are made by
`channels.shown`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, Targets

from updater_server.channels import shown
from updater_server.channels.drafts import Drafts
from updater_server.channels.published import Published
from updater_server.channels.waiting import Waiting


class Wording:
    """Says how changes differ from what is `published`."""

    def __init__(self, published: Published, waiting: Waiting) -> None:
        self._published = published
        self._waiting = waiting

    def in_words(self, drafts: Drafts | None = None) -> dict[str, list[str]]:
        """By role, what signatures over `drafts` (or over what waits) say, and every difference to
        what is in force.
        """
        changes = self._waiting.read_all() if drafts is None else drafts.metadata
        files = {} if drafts is None else drafts.files
        return {role: self.of(role, metadata, files) for role, metadata in changes.items()}

    def of(
        self, role: str, metadata: Metadata[Any], files: Mapping[Path, bytes] | None = None
    ) -> list[str]:
        """What a signature over one role's `metadata` says. `files` are not in the folder yet."""
        before = self._published.metadata.get(role)
        contents = self.contents(role, metadata, files)
        was = before.signed.to_dict() if before else None
        return shown.in_words(role, metadata.signed.to_dict(), was, contents)

    def contents(
        self, role: str, metadata: Metadata[Any], files: Mapping[Path, bytes] | None = None
    ) -> dict[str, bytes]:
        """The JSON files that `metadata` and what is in force name, by SHA-256, as far as they are
        here.
        """
        found = self._named(metadata.signed, files or {})
        before = self._published.metadata.get(role)
        return found | self._named(before.signed, files or {}) if before else found

    def _named(self, signed: Any, files: Mapping[Path, bytes]) -> dict[str, bytes]:
        if not isinstance(signed, Targets):
            return {}
        found = {}
        for target in signed.targets.values():
            path = self._published.folder.target(target)
            if target.path.endswith(".json") and (path in files or path.is_file()):
                data = files[path] if path in files else path.read_bytes()
                sha256 = hashlib.sha256(data).hexdigest()
                if sha256 == target.hashes.get("sha256"):
                    found[sha256] = data
        return found
