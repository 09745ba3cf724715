"""Changes that were worked out and not yet signed: what a person is shown, and nothing else, is
what `Staging.stage` signs. For `channels` and the tools.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata

from updater_server.channels.metadata_file import digest


@dataclass
class Draft:
    """The next version of one role. `base` says what it was worked out from: what was in force and
    what was staged then. `notes` is what the log is told of it, and its details.
    """

    role: str
    metadata: Metadata[Any]
    base: str
    at: datetime
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def sha256(self) -> str:
        """Of the very bytes to be signed, in hex."""
        return digest(self.metadata)


@dataclass
class Drafts:
    """Everything that one command would stage, with the target files it lists."""

    by_role: dict[str, Draft] = field(default_factory=dict)
    files: dict[Path, bytes] = field(default_factory=dict)

    @property
    def metadata(self) -> dict[str, Metadata[Any]]:
        """What it would stage, by role."""
        return {role: draft.metadata for role, draft in self.by_role.items()}
