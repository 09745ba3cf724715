"""Asking who a meter or a reference belongs to, before money moves (message kind 7).

`firmware.terminal` loads it by its name for one question and lets it go.
"""

from bootloader.shared.compat import const
from firmware.office.messenger import LOOK_UP, UINT32, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.office.messenger import Messenger

_LOOK_UP_PRODUCT = const(1)
_LOOK_UP_RECIPIENT = const(2)
_LOOK_UP_AMOUNT = const(3)
_LOOK_UP_REPLY_STATUS = const(1)
_LOOK_UP_REPLY_NAME = const(2)
_LOOK_UP_REPLY_LEAST = const(3)
_LOOK_UP_REPLY_MOST = const(4)
_LOOK_UP_REPLY_CODE = const(6)
_KNOWN = const(0)  # values of the status
_REFUSED = const(1)
MAX_NAME = const(48)


class Answer:
    """`code`: "" if the recipient is known, else why not. `name`: the customer's, perhaps empty.

    `least_minor` and `most_minor` (0: none): what may be paid in for it now.
    """

    def __init__(
        self, code: str, name: str = "", least_minor: int = 0, most_minor: int = 0
    ) -> None:
        self.code = code
        self.name = name
        self.least_minor = least_minor
        self.most_minor = most_minor


async def look_up(
    messenger: "Messenger", product_id: str, recipient: str, amount_minor: int
) -> Answer:
    """Ask the server; it costs nothing and keeps nothing.

    Raises:
        NoNetwork, BadReply, ServerRefused: nobody knows.
    """
    reply = await messenger.exchange(
        LOOK_UP,
        {
            _LOOK_UP_PRODUCT: product_id,
            _LOOK_UP_RECIPIENT: recipient,
            _LOOK_UP_AMOUNT: amount_minor,
        },
    )
    if field(reply, _LOOK_UP_REPLY_STATUS, int, _KNOWN, _REFUSED) == _REFUSED:
        return Answer(field(reply, _LOOK_UP_REPLY_CODE, str, 1, 32))
    return Answer(
        "",
        field(reply, _LOOK_UP_REPLY_NAME, str, 0, MAX_NAME),
        field(reply, _LOOK_UP_REPLY_LEAST, int, 0, UINT32),
        field(reply, _LOOK_UP_REPLY_MOST, int, 0, UINT32),
    )
