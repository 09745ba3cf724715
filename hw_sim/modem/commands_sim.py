"""The SIM card as the modem sees it, and the commands about it: CPIN, CIMI, CCID."""

from __future__ import annotations

from collections.abc import Callable

from hw_sim.modem.at import AtCommand, AtError
from hw_sim.modem.command_table import Command, Table
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.sim_card import SimCard

NOT_INSERTED, PIN_WANTED, PUK_WANTED, NOT_READY = 10, 11, 12, 13
_WORDS = {
    NOT_INSERTED: "NOT INSERTED",
    PIN_WANTED: "SIM PIN",
    PUK_WANTED: "SIM PUK",
    NOT_READY: "NOT READY",
}
_PIN_ATTEMPTS, _PUK_ATTEMPTS = 3, 10


class SimHolder:
    """The card that was there when the modem last looked, and whether it is unlocked.

    `powered` is False while AT+CFUN=0 takes the card's supply. `on_unlock` is called when a right
    PIN or PUK was given.
    """

    def __init__(self, network: GsmNetwork) -> None:
        self._network = network
        self._seen = network.sim
        self._unlocked = False
        self.powered = True
        self.on_unlock: Callable[[], None] = lambda: None

    def reset(self) -> None:
        """The modem starts: it looks for a card, and no PIN was given."""
        self.powered = True
        self.forget_pin()
        self.look()

    def look(self) -> None:
        """The card that is in the holder now is the modem's from here on."""
        self._seen = self._network.sim

    def forget_pin(self) -> None:
        """The card was without supply."""
        self._unlocked = False

    def notice_removal(self) -> bool:
        """Whether the card that was there is gone; its PIN counts no more then."""
        if self._seen is None or self._network.sim is self._seen:
            return False
        self._unlocked = False
        return True

    def present(self) -> SimCard:
        """The card, locked or not. Raises AtError when there is none."""
        # the part looks for a card at start-up only; one put in later waits for a restart
        if self._seen is None or self._network.sim is not self._seen:
            raise AtError(NOT_INSERTED)
        return self._seen

    def ready(self) -> SimCard:
        """The card, unlocked. Raises AtError with what is in the way."""
        sim = self.present()
        if not self.powered:
            raise AtError(NOT_READY)
        if sim.pin_attempts_left == 0:
            raise AtError(PUK_WANTED)
        if sim.pin is not None and not self._unlocked:
            raise AtError(PIN_WANTED)
        return sim

    @property
    def usable(self) -> bool:
        """Whether the card is there and unlocked."""
        try:
            self.ready()
        except AtError:
            return False
        return True

    def words(self) -> str:
        """The state as +CPIN says it at start-up."""
        try:
            self.ready()
        except AtError as error:
            return _WORDS[error.code or NOT_READY]
        return "READY"

    def commands(self) -> Table:
        """The commands about the card."""
        return {
            "+CPIN": Command(read=self._asked, write=self._enter),
            "+CIMI": Command(show=lambda: self.ready().imsi),
            "+CCID": Command(show=lambda: self.present().iccid),
        }

    def _asked(self) -> str:
        try:
            self.ready()
        except AtError as error:
            if error.code not in (PIN_WANTED, PUK_WANTED):
                raise
            return _WORDS[error.code]
        return "READY"

    def _enter(self, command: AtCommand) -> None:
        sim = self.present()
        entered = command.text(0)
        if sim.pin_attempts_left == 0:
            self._enter_puk(sim, entered, command)
        elif sim.pin is None or self._unlocked:
            raise AtError(3)
        elif entered != sim.pin:
            sim.pin_attempts_left -= 1
            raise AtError(PUK_WANTED if sim.pin_attempts_left == 0 else 16)
        sim.pin_attempts_left = _PIN_ATTEMPTS
        self._unlocked = True
        self.on_unlock()

    def _enter_puk(self, sim: SimCard, puk: str, command: AtCommand) -> None:
        if sim.puk_attempts_left == 0:
            raise AtError(NOT_READY)
        new_pin = command.text(1)
        if puk != sim.puk or not (new_pin.isdigit() and 4 <= len(new_pin) <= 8):
            sim.puk_attempts_left -= 1
            raise AtError(16)
        sim.pin, sim.puk_attempts_left = new_pin, _PUK_ATTEMPTS
