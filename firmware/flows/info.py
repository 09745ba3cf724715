"""What a technician asks for on the telephone."""

from firmware.ui.money_and_dates import date_time_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def run(desk: "Desk") -> None:
    """Show who this terminal is and what runs on it."""
    words = desk.words
    boot = desk.boot_info
    release = str(boot.release) + (" " + words("on_trial") if boot.trial else "")
    mv, percent, _ = desk.battery.read()
    await desk.ui.ask(
        words("m_info"),
        [
            (words("terminal"), desk.terminal_id),
            (words("release"), release),
            (words("slot"), boot.slot),
            (words("signal"), str(desk.link.signal)),
            (words("battery"), "{} mV {}%".format(mv, percent)),
            (words("time"), date_time_text(desk.now(), desk.config.utc_offset_s)),
        ],
        (("*", "back"),),
    )
