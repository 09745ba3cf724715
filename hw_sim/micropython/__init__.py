"""The simulated chip's `machine`, as MicroPython runs it; it knows the bus, no part of Duka."""
