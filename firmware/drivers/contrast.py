"""How strong the display's picture is, in five steps; loaded by name when it changes.

Command 81h: Solomon Systech SSD1306 datasheet, section 10.1.7.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Lcd as Port

MOST = 5
USUAL = 4
"""What `firmware.drivers.lcd` starts with."""
_STEPS = b"\x20\x50\x8f\xcf\xff"  # the weakest can still be read, or nobody could turn it back


def put(port: "Port", step: int) -> int:
    """Show `step`, 1 to `MOST`, from now on; any other is `USUAL`. Returns what it is."""
    if not 1 <= step <= MOST:
        step = USUAL
    port.command(b"\x81" + _STEPS[step - 1 : step])
    return step
