"""What a release will cost on the air before anybody has it: bytes, seconds and money, for each
version that the field runs; its difference beside the whole image, and beside leaving it out until
the next. Pure. For the release manager's tools and the release's page.

Headers are those of docs/formats/metrics.md, "The byte ledger"; the link's pace is that of the
simulated network's GPRS (`hw_sim.network.link`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from updater_server.channels.entry import ReleaseEntry

LEARN_BYTES = 1_000
"""All that is new in signed lists for a release that is let out at once, both ways: the bar of
`tests/update/test_news.py`. A plan that comes later is another answer, of some 600 bytes.
"""
TELL_BYTES = 1_024
"""The word before the restart by datagram (289), and on trial the first check-in, with image and
settings, by a connection of its own (735): as `inv bench release` measures them."""
_CONNECTION_BYTES = 180
_NAME_BYTES = 140
_QUESTION_BYTES = 160  # the segments of learning
_LEARN_HEADS_BYTES = 412  # heads of HTTP (132), and segments with the connection's own (280)
_SHORT_REQUEST_BYTES = 232  # head and head of the answer (112), and their segments
_REQUEST_BYTES = 412  # the same (292) of a piece, by the payload's whole name
_ONE_REQUEST_BYTES = 16_384
_SEGMENT_BYTES, _SEGMENT_HEAD_BYTES = 1_360, 60
_DOWNLINK_BYTES_PER_S = 4_000
_TURN_S = 0.85  # there and back, with half the jitter


class Runs(NamedTuple):
    """So many terminals of a class say that they run this, `image` by its SHA-256; None: they have
    not said.
    """

    hardware_class: str
    release: int | None
    image: str | None
    terminals: int


class Line(NamedTuple):
    """What the terminals of one version cost: `kind` is how the release comes to them; bytes and
    seconds of each; `full_bytes` is the same by the whole image; `kept_bytes` is what each spares
    if the release is left out and its changes come with the next.
    """

    release: int | None
    terminals: int
    kind: str
    each_bytes: int
    each_s: int
    full_bytes: int
    kept_bytes: int

    @property
    def bytes(self) -> int:
        """All of these terminals."""
        return self.terminals * self.each_bytes


def on_air(payload_bytes: int) -> int:
    """What fetching a payload takes, both ways, with headers, in requests of 16 KiB."""
    segments = -(-payload_bytes // _SEGMENT_BYTES)
    return (
        _CONNECTION_BYTES
        + _NAME_BYTES
        + _heads(payload_bytes)
        + segments * _SEGMENT_HEAD_BYTES
        + payload_bytes
    )


def learning(news_bytes: int) -> int:
    """What is new in signed lists, `news_bytes` of it, by a connection of its own to the address
    that a datagram has asked for: both ways, with headers, as `inv bench release` measures it.
    """
    return news_bytes + _LEARN_HEADS_BYTES + _further(news_bytes)


def following(payload_bytes: int) -> int:
    """A payload on the connection by which its terminal learned of it, and its end: the same."""
    return payload_bytes + _heads(payload_bytes) + _further(payload_bytes)


def _heads(payload_bytes: int) -> int:
    requests = -(-payload_bytes // _ONE_REQUEST_BYTES)
    return requests * (_SHORT_REQUEST_BYTES if requests == 1 else _REQUEST_BYTES)


def _further(content_bytes: int) -> int:
    """Heads of the segments after the first."""
    return max(0, (content_bytes - 1) // _SEGMENT_BYTES) * _SEGMENT_HEAD_BYTES


def takes_s(payload_bytes: int) -> int:
    """How long fetching it takes on GPRS, if nothing comes between."""
    turns = 2 + -(-payload_bytes // _ONE_REQUEST_BYTES)
    return round(on_air(payload_bytes) / _DOWNLINK_BYTES_PER_S + turns * _TURN_S)


def quote(entry: ReleaseEntry, sizes: Mapping[str, int], fleet: Iterable[Runs]) -> list[Line]:
    """A line for each version that terminals of the release's class run, most terminals first; who
    runs it, or a later one, costs nothing and is in none. `sizes`: bytes of each payload by path.
    """
    fixed = LEARN_BYTES + _QUESTION_BYTES + TELL_BYTES
    whole = next(sizes[one.path] for one in entry.payloads if one.kind == "full")
    by_base = {one.base_sha256: one for one in entry.payloads if one.base_sha256}
    lines: dict[tuple[int | None, str], Line] = {}
    for part in fleet:
        if part.hardware_class != entry.hardware.hardware_class or not part.terminals:
            continue
        if part.release is not None and part.release >= entry.release:
            continue
        way = by_base.get(part.image or "")
        kind, size = ("full", whole) if way is None else (way.kind, sizes[way.path])
        before = lines.get((part.release, kind))
        lines[part.release, kind] = Line(
            part.release,
            part.terminals + (before.terminals if before else 0),
            kind,
            fixed + on_air(size),
            takes_s(size),
            fixed + on_air(whole),
            fixed + on_air(size) - size,
        )
    return sorted(lines.values(), key=lambda line: (-line.terminals, line.release or 0))


def fields(content: Any) -> list[Runs]:
    """What a fleet runs, from `updater_server fleet runs --as-json`.

    Raises:
        ValueError: it is not that.
    """
    if not isinstance(content, list):
        raise ValueError("not a list")
    found = []
    for one in content:
        try:
            part = Runs(**one)
        except TypeError as error:
            raise ValueError(f"not what a fleet runs: {str(one)[:60]}") from error
        if (
            type(part.hardware_class) is not str
            or not isinstance(part.release, int | None)
            or not isinstance(part.image, str | None)
            or type(part.terminals) is not int
            or part.terminals < 0
        ):
            raise ValueError(f"not what a fleet runs: {str(one)[:60]}")
        found.append(part)
    return found
