"""The simulated chip without a MicroPython process: its program's text runs on CPython, here.

Where time is simulated a board may be made so (`hosted=` of `hw_sim.board`): the same images in the
same flash, the same requests on the chip's bus in the same order at the same instants, a tenth of
the host's work. `cpu` is the CPU as the board sees it, `chip` one start of it; the rest is what a
port of MicroPython has in C: modules, file systems, imports. docs/decisions/0042-hosted-cpu.md.
"""
