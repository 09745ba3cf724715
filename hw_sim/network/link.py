"""How a data link behaves, and what crossed it: figures only, no behaviour.

Payload bytes are *measured* as they cross. Headers, handshakes, acknowledgements and
retransmissions are *modelled* at 40 bytes a segment (20 IP + 20 TCP) and 28 a datagram (20 IP + 8
UDP), and counted apart. A name that is asked for is two datagrams of DNS (RFC 1035, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

SEGMENT_OVERHEAD_BYTES = 40
"""IPv4 and TCP header without options: the modelled cost of each segment."""

DATAGRAM_OVERHEAD_BYTES = 28
"""IPv4 and UDP header."""

MAXIMUM_SEGMENT_BYTES = 1360
"""TCP payload of a full segment over GPRS (1400-byte PDP context MTU)."""


@dataclass(frozen=True)
class LinkProfile:
    """How the data link behaves. Rates in bytes a second, latency one way.

    `loss` is the chance that a segment is lost and comes `retransmission_ms` later (TCP hides the
    loss, not the delay), or that a datagram never comes. Downlink data reaches the modem in pieces
    of `smallest_chunk_bytes` to `largest_chunk_bytes`.
    """

    downlink_bytes_per_s: float = 4000.0
    uplink_bytes_per_s: float = 2500.0
    latency_ms: float = 350.0
    jitter_ms: float = 150.0
    loss: float = 0.0
    retransmission_ms: float = 1500.0
    smallest_chunk_bytes: int = 200
    largest_chunk_bytes: int = MAXIMUM_SEGMENT_BYTES

    def __post_init__(self) -> None:
        """Refuse a link that could never carry a byte (ValueError)."""
        if self.downlink_bytes_per_s <= 0 or self.uplink_bytes_per_s <= 0:
            raise ValueError("link rates must be above zero; use set_coverage(False) for no link")
        if not 0.0 <= self.loss < 1.0:
            raise ValueError("loss is a chance from 0 to below 1")
        if not 1 <= self.smallest_chunk_bytes <= self.largest_chunk_bytes <= MAXIMUM_SEGMENT_BYTES:
            raise ValueError(f"chunks go from 1 to {MAXIMUM_SEGMENT_BYTES} bytes")


GPRS = LinkProfile()
"""Four downlink slots in fair coverage."""

POOR_GPRS = LinkProfile(
    downlink_bytes_per_s=1200, uplink_bytes_per_s=800, latency_ms=900, jitter_ms=900, loss=0.05
)
"""The edge of a cell."""

WIRE = LinkProfile(
    downlink_bytes_per_s=1e9, uplink_bytes_per_s=1e9, latency_ms=0, jitter_ms=0, loss=0
)
"""No delay worth speaking of: for tests that look at something else."""


@dataclass
class Traffic:
    """Counters of one network since its construction. Payload is measured, the rest is modelled."""

    payload_up_bytes: int = 0
    payload_down_bytes: int = 0
    segments_up: int = 0
    segments_down: int = 0
    retransmitted_bytes: int = 0
    connections: int = 0
    datagrams_up: int = 0
    datagrams_down: int = 0
    name_bytes: int = 0
    """Questions for names and their answers, with all headers."""

    @property
    def modelled_overhead_bytes(self) -> int:
        """All headers, and whole segments sent again; nothing of DNS: an estimate."""
        segments = self.segments_up + self.segments_down
        datagrams = self.datagrams_up + self.datagrams_down
        heads = segments * SEGMENT_OVERHEAD_BYTES + datagrams * DATAGRAM_OVERHEAD_BYTES
        return heads + self.retransmitted_bytes

    @property
    def modelled_total_bytes(self) -> int:
        """Payload both ways plus the modelled overhead: what an operator would roughly bill."""
        return self.payload_up_bytes + self.payload_down_bytes + self.modelled_overhead_bytes

    @property
    def on_air_bytes(self) -> int:
        """The same with the questions for names and their answers."""
        return self.modelled_total_bytes + self.name_bytes


def name_bytes(name: str) -> int:
    """What asking for a name's address costs: a question, and an answer with one address."""
    question = 12 + len(name.encode()) + 2 + 4
    return 2 * (DATAGRAM_OVERHEAD_BYTES + question) + 16
