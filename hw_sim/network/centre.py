"""What the operator's service centres know: short messages that wait for the part or were sent by
it, and what a USSD code answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hw_sim.network.listener import Listeners
from hw_sim.network.sms_pdu import Message, of_text

Menu = Mapping[str, "str | tuple[str, Menu]"]
"""By what is entered: the last word, or a question and the menu that it opens."""


class SmsCentre:
    """Keeps each message until a part that is registered takes it. `sent` is what parts sent."""

    def __init__(self, listeners: Listeners, number: str = "+254722500029") -> None:
        self.number = number
        self.sent: list[Message] = []
        self.on_sent: Callable[[Message], None] = lambda message: None
        self._waiting: list[Message] = []
        self._listeners = listeners

    def deliver(self, number: str, text: str) -> None:
        """Somebody with that number sends a text. Raises PduError if it is too long for one."""
        self.forward(of_text(number, text))

    def forward(self, message: Message) -> None:
        """A message for the part; `number` in it is whom it comes from."""
        self._waiting.append(message)
        self._listeners.tell_sms()

    def submit(self, message: Message) -> None:
        """The part sends one."""
        self.sent.append(message)
        self.on_sent(message)

    def take(self) -> Message | None:
        """The oldest that waits."""
        return self._waiting.pop(0) if self._waiting else None

    def give_back(self, message: Message) -> None:
        """The part had no room: it waits on."""
        self._waiting.insert(0, message)


@dataclass
class UssdCentre:
    """Answers codes; a menu keeps the session open for the next entry."""

    menu: Menu = field(default_factory=lambda: {"*144#": "Your balance is KES 12.50"})
    _open: Menu | None = None

    def ask(self, text: str) -> tuple[int, str]:
        """(what +CUSD says of the session: 0 over, 1 goes on, 4 not known; the words)."""
        menu = self.menu if self._open is None else self._open
        self._open = None
        answer = menu.get(text)
        if answer is None:
            return 4, ""
        if isinstance(answer, str):
            return 0, answer
        words, self._open = answer
        return 1, words

    def end(self) -> None:
        """The session is over."""
        self._open = None
