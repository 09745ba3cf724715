"""What a modem says of names: the address of a host. In the heap only while it is asked
(`office.datagram`). Source: SIM800 Series AT Command Manual 1.12, AT+CDNSGIP; M95 AT Commands
Manual 3.2, AT+QIDNSGIP.
"""

from bootloader.shared.compat import const
from firmware import counts, lent
from firmware.net.modem.chat import ERRORS, ChatError
from firmware.net.modem.errors import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.net.modem.driver import Modem

_RESOLVE_MS = const(10000)
_NAME_BYTES = const(108)  # as in `driver`
_ANSWERS = (b"+CDNSGIP:", b"")
_NONE = ERRORS + (b"ERROR:",)


async def resolve(modem: "Modem", host: str) -> str:
    """The address of a host as the modem's DNS has it. The caller holds the modem's lock.

    Raises:
        LinkError: none, or no answer.
    """
    if all(c in "0123456789." for c in host):
        return host
    counts.air(_NAME_BYTES + 2 * len(host))
    try:
        part: Any = lent.at_hand(modem.part)
        request = part.RESOLVE + b'"' + host.encode() + b'"'
        part = None  # it would keep its module
        line = await modem.chat.command(request, _ANSWERS, _RESOLVE_MS, _NONE)
    except ChatError as error:
        raise LinkError(str(error))
    finally:
        lent.give_back((modem.part,))
    words = str(bytes(b if b < 128 else 63 for b in line), "ascii").split('"')
    # `+CDNSGIP: 1,"duka.example","192.0.2.1"`, or the address alone
    address = words[3] if len(words) > 3 else words[0]
    if not 6 < len(address) < 16 or any(c not in "0123456789." for c in address):
        raise LinkError("no address of " + host)
    return address
