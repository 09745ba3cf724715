"""What a technician asks for on the telephone."""

from firmware.ui.money_and_dates import date_time_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk

_UNKNOWN = 31  # 99: 3GPP TS 27.007, section 8.5; as `steps.sim_network`


async def run(desk: "Desk") -> None:
    """Show who this terminal is and what runs on it."""
    words = desk.words
    boot = desk.boot_info
    release = str(boot.release) + (" " + words("on_trial") if boot.trial else "")
    mv, percent, _ = desk.battery.read()
    signal = desk.link.signal if desk.link.modem.registered else 99
    await desk.ui.ask(
        words("m_info"),
        [
            (words("terminal"), desk.terminal_id),
            (words("release"), release),
            (words("slot"), boot.slot),
            (words("signal"), str(signal) if signal <= _UNKNOWN else "-"),
            (words("battery"), "{} mV {}%".format(mv, percent)),
            (words("time"), date_time_text(desk.now(), desk.config.utc_offset_s)),
        ],
        (("*", "back"),),
    )
