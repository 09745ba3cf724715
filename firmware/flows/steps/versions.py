"""What of this terminal has a version, and where it takes its releases from. Loaded by name."""

from binascii import hexlify

from firmware.kept.files import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.flows.steps.report import Rows

_SETTINGS = "/data/config.json"
_DIGEST_BYTES = 4  # as many as a person compares with what the office shows


async def rows(desk: "Desk") -> "Rows":
    """The digest is that of the settings which are in use, as the office is told it."""
    words = desk.words
    boot = desk.boot_info
    board = desk.board
    try:
        settings = str(hexlify(digest(desk.files.in_use(_SETTINGS))[:_DIGEST_BYTES]), "ascii")
    except OSError:
        settings = "-"
    trial = " " + words("on_trial") if boot.trial else ""
    return [
        (words("terminal"), desk.terminal_id),
        (words("release"), str(boot.release) + trial),
        (words("slot"), boot.slot),
        (words("bootloader"), str(board.BOOTLOADER_VERSION)),
        (words("hardware"), board.HARDWARE_CLASS + " " + str(board.HARDWARE_REVISION)),
        (words("channel"), desk.config.channel),
        (words("prices"), str(desk.catalogue.version)),
        (words("settings"), settings),
        (words("server"), desk.config.host + ":" + str(desk.config.port)),
    ]
