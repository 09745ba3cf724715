"""The simulated GSM modem: `Sim800` or `M95`, a part on a UART; nothing of what is behind it.

The board wires it to a UART and a power-key pin; tests talk to it with AT lines.
"""

from hw_sim.modem.part import M95, GsmPart, Sim800

__all__ = ["M95", "GsmPart", "Sim800"]
