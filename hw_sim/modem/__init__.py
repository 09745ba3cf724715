"""The simulated GSM modem: `Sim800`, a SIM800-class part on a UART; nothing of what is behind it.

The board wires it to a UART and a power-key pin; tests talk to it with AT lines.
"""

from hw_sim.modem.sim800 import Sim800

__all__ = ["Sim800"]
