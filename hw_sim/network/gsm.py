"""The GSM network around one terminal: SIM card, coverage, registration, time, and a GPRS link.

Called by the modem (`hw_sim.modem`) for what the air interface would answer, and by tests, scripts
and the front panel to make trouble. TCP connections are bridged to real sockets, so a real server
is at the far end. Everything happens on the running asyncio loop; every random choice comes from
`seed`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping

from hw_sim.network.centre import SmsCentre, UssdCentre
from hw_sim.network.errors import PdpRefusedError
from hw_sim.network.faults import Faults
from hw_sim.network.internet import Internet
from hw_sim.network.link import GPRS, LinkProfile
from hw_sim.network.listener import Listeners, NetworkListener
from hw_sim.network.pdp import PdpContext
from hw_sim.network.radio import Radio
from hw_sim.network.sim_card import Registration, SimCard
from hw_sim.pacing import Pace


class GsmNetwork:
    """What one terminal's antenna meets.

    `resolve` maps "name:port" (as the terminal asks for it) to the real (host, port); without an
    entry only loopback addresses and `localhost` are reached, all else is CONNECT FAIL. `apn` None
    accepts any access point name, `apn_login` is the (user, password) that
    it wants, if any. All delays are in device seconds and run `time_scale` times
    faster than the wall, or on `pace` when it is given. Bytes are counted in `traffic`; `listeners`
    are told of changes; `internet` is what lies behind the cell; `faults` are those that nobody is
    told of; `sms` and `ussd` are the operator's centres.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        time_scale: float = 1.0,
        link: LinkProfile = GPRS,
        sim: SimCard | None = None,
        sim_inserted: bool = True,
        coverage: bool = True,
        signal: int = 20,
        registration_delay_s: float = 3.0,
        pdp_activation_s: float = 1.0,
        pdp_survives_outage_s: float = 20.0,
        tcp_gives_up_s: float = 150.0,
        apn: str | None = None,
        apn_login: tuple[str, str] | None = None,
        operator_name: str = "Savanna",
        operator_code: str = "63902",
        resolve: Mapping[str, tuple[str, int]] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.pace = pace or Pace(time_scale)
        self.apn = apn
        self.apn_login = apn_login
        self.operator_name = operator_name
        self.operator_code = operator_code
        self.registration_delay_s = registration_delay_s
        self.pdp_activation_s = pdp_activation_s
        self.pdp_survives_outage_s = pdp_survives_outage_s
        self.tcp_gives_up_s = tcp_gives_up_s
        self.sim: SimCard | None = (sim or SimCard()) if sim_inserted else None
        self.gives_time = True
        self._chance = random.Random(seed)  # noqa: S311 - repeatable jitter, no secret
        self._radio = Radio(
            self.pace, link, self._chance, coverage=coverage, on_drop=self.deactivate_pdp
        )
        self.internet = Internet(resolve or {})
        self.traffic = self._radio.traffic
        self._clock_offset_s = 0.0
        self._admission = Registration.HOME
        self._signal = signal
        self.listeners = Listeners()
        self._contexts: list[PdpContext] = []
        self.sms = SmsCentre(self.listeners)
        self.ussd = UssdCentre()
        self.faults = Faults(lambda: self._contexts, self.listeners)
        self._outage_timer: asyncio.TimerHandle | None = None

    @property
    def link(self) -> LinkProfile:
        """How the link behaves from now on."""
        return self._radio.profile

    @link.setter
    def link(self, profile: LinkProfile) -> None:
        """Let the link behave so from now on; what is under way stays as it was."""
        self._radio.profile = profile

    # -- trouble: for tests, scripts and the front panel ------------------------------------------

    def set_coverage(self, on: bool) -> None:
        """Enter or leave coverage. Traffic stops at once; the data context outlives a short outage.

        After `pdp_survives_outage_s` without coverage the context is deactivated.
        """
        self._radio.set_coverage(on)
        if self._outage_timer is not None:
            self._outage_timer.cancel()
            self._outage_timer = None
        if not on and self._contexts:
            self._outage_timer = self.pace.call_later(
                self.pdp_survives_outage_s, self.deactivate_pdp
            )
        self.listeners.tell_network_change()

    def set_admission(self, admission: Registration) -> None:
        """Admit the SIM as HOME or ROAMING, or answer DENIED."""
        if admission not in (Registration.HOME, Registration.ROAMING, Registration.DENIED):
            raise ValueError("a network admits as HOME or ROAMING, or it is DENIED")
        self._admission = admission
        if admission is Registration.DENIED:
            self.deactivate_pdp()
        self.listeners.tell_network_change()

    def set_signal(self, signal: int) -> None:
        """Signal as +CSQ says it: 0 to 31, or 99 for unknown."""
        if not (0 <= signal <= 31 or signal == 99):
            raise ValueError("signal is 0 to 31, or 99")
        self._signal = signal
        self.listeners.tell_network_change()

    def insert_sim(self, sim: SimCard | None = None) -> None:
        """Put a card into the holder (a default one when none is given)."""
        self.sim = sim or SimCard()
        self.listeners.tell_sim_change()

    def remove_sim(self) -> SimCard | None:
        """Take the card out and hand it back; its data context dies with it."""
        sim, self.sim = self.sim, None
        self.deactivate_pdp()
        self.listeners.tell_sim_change()
        return sim

    def forge_time(self, unix_s: float) -> None:
        """Let the cell claim this time from now on; it runs on from there. See `honest_time`."""
        self._clock_offset_s = unix_s - self.pace.unix_s()

    def honest_time(self) -> None:
        """Let the cell tell the truth again."""
        self._clock_offset_s = 0.0

    def drop_after_bytes(self, downlink_bytes: int) -> None:
        """Deactivate the data context once, after exactly so many more bytes reached the modem.

        Drops may be queued: the next one starts counting where the one before it struck.
        """
        self._radio.drop_after_bytes(downlink_bytes)

    def deactivate_pdp(self) -> None:
        """Take the data context away now: the modem says +PDP: DEACT, bytes under way are lost."""
        for context in list(self._contexts):
            context.deactivate(by_network=True)

    def reset_connections(self) -> None:
        """Break every open TCP connection; the data context stays. The modem says CLOSED."""
        for context in list(self._contexts):
            for connection in list(context.connections):
                connection.break_now()

    def stall(self, seconds: float) -> None:
        """Let nothing cross the link for that long, without any sign of it."""
        self._radio.stall(seconds)

    def suspend(self, on: bool) -> None:
        """A call has the radio: data stands still meanwhile."""
        self._radio.suspend(on)

    def refuse_connects(self, count: int) -> None:
        """Let the next `count` TCP connections fail, whatever is at the far end."""
        self.internet.refused_connects = count

    # -- what the air interface answers: for the modem --------------------------------------------

    @property
    def coverage(self) -> bool:
        """Whether the antenna hears a cell."""
        return self._radio.coverage

    @property
    def signal(self) -> int:
        """+CSQ value now: 99 outside coverage."""
        return self._signal if self.coverage else 99

    @property
    def connected_contexts(self) -> int:
        """How many data contexts are active."""
        return len(self._contexts)

    def admission(self) -> Registration:
        """What a modem that listens now would end up as."""
        return self._admission if self.coverage else Registration.SEARCHING

    def time_unix_s(self) -> float:
        """The time the cell claims; see `forge_time`."""
        return self.pace.unix_s() + self._clock_offset_s

    async def activate_pdp(
        self, apn: str, listener: NetworkListener, login: tuple[str, str] = ("", "")
    ) -> PdpContext:
        """Give a data context, after a while. Raises PdpRefusedError with the network's reason."""
        await self.pace.sleep(self.pdp_activation_s)
        if not self.coverage:
            raise PdpRefusedError("no coverage")
        if self._admission is Registration.DENIED:
            raise PdpRefusedError("registration denied")
        if self.sim is None or not self.sim.gprs_contract:
            raise PdpRefusedError("no contract for data")
        if self.apn is not None and apn != self.apn:
            raise PdpRefusedError(f"unknown access point {apn!r}")
        if self.apn_login is not None and login != self.apn_login:
            raise PdpRefusedError("user or password of the access point")
        address = f"10.{self._chance.randrange(256)}.{self._chance.randrange(256)}.2"
        context = PdpContext(
            self._radio,
            self.internet,
            listener,
            address,
            tcp_gives_up_s=self.tcp_gives_up_s,
            on_end=self._contexts.remove,
        )
        self._contexts.append(context)
        self.faults.context_made(context)
        return context
