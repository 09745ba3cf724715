"""Who is asked before anything is signed. For `channels`; the tools have one (`tools.oracle`)."""

from __future__ import annotations

from typing import Any, Protocol


class Judge(Protocol):
    """The terminal's own reader, where the tools have it. Raises whatever it wants told."""

    def metadata(self, role: str, signed: dict[str, Any]) -> None:
        """Judge a role's metadata."""

    def target(self, path: str, data: bytes) -> None:
        """Judge the content of a price list."""


class Everything:
    """A judge to whom everything is right: where no terminal's reader is at hand."""

    def metadata(self, role: str, signed: dict[str, Any]) -> None:
        """Nothing is refused."""

    def target(self, path: str, data: bytes) -> None:
        """Nothing is refused."""
