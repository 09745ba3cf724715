"""Four radio accesses as a terminal meets them: pace, delay and loss of the link, and how long it
takes to be on it. For whoever makes a `GsmNetwork`: `Access.settings`.

All *modelled*, for fair coverage: peaks are the standards', what a terminal gets of them and all
delays were chosen, nothing was measured by us. Of the peak a terminal gets a half to four fifths.

GPRS: CS-2, four slots down, two up, 13.4 kbit/s each (3GPP TS 43.064); there and back takes 0.7 to
1 s, as a temporary block flow is set up first. EDGE: MCS-5 to MCS-9 on the same slots, 22.4 to 59.2
kbit/s each (43.064); 0.4 s. LTE-M: Cat-M1, half duplex, 300 and 375 kbit/s (3GPP TS 36.306, release
13); 0.15 s. NB-IoT: Cat-NB1, 26 and 62 kbit/s (36.306); 2.4 to 5 s, where 3GPP TR 45.820 bounds an
alarm at the edge by 10 s.

Attach and activation: what drivers' manuals allow for is a minute and more; in coverage they take
seconds. How long a box remembers: RFC 4787 asks for two minutes at least for datagrams (REQ-5), and
networks of phones are known to keep less; so 60 s, and for NB-IoT, whose devices sleep, 300 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hw_sim.network.link import GPRS, LinkProfile


@dataclass(frozen=True)
class Access:
    """`link` is the pace of data; `registers_s`, `activates_s`: until the network has the terminal,
    and until it has an address; `forgets_s`: so long does a box remember a datagram's port.
    """

    name: str
    link: LinkProfile
    registers_s: float
    activates_s: float
    forgets_s: float

    @property
    def settings(self) -> dict[str, Any]:
        """For `GsmNetwork`; `forgets_s` is set at `network.internet.ways`."""
        return {
            "link": self.link,
            "registration_delay_s": self.registers_s,
            "pdp_activation_s": self.activates_s,
        }


EDGE = LinkProfile(
    downlink_bytes_per_s=11_000, uplink_bytes_per_s=6_000, latency_ms=170, jitter_ms=80, loss=0.005
)
LTE_M = LinkProfile(
    downlink_bytes_per_s=20_000, uplink_bytes_per_s=20_000, latency_ms=60, jitter_ms=40, loss=0.002
)
NB_IOT = LinkProfile(
    downlink_bytes_per_s=2_500,
    uplink_bytes_per_s=2_000,
    latency_ms=1_200,
    jitter_ms=1_500,
    loss=0.01,
    retransmission_ms=4_000,
)
ACCESSES = (
    Access("GPRS", GPRS, 3.0, 1.0, 60.0),
    Access("EDGE", EDGE, 3.0, 0.8, 60.0),
    Access("LTE-M", LTE_M, 2.0, 0.4, 60.0),
    Access("NB-IoT", NB_IOT, 6.0, 2.5, 300.0),
)
