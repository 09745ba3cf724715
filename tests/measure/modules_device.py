# mypy: ignore-errors
# Device code: MicroPython has no typing.
# Goes into a release as firmware/measure.py. Loads modules one by one and prints what each takes.
import gc
import json
import time

import machine

MODULES = ()


def run(board):
    # Sweeping the heap all the time takes longer than any watchdog allows.
    machine.mem32[0x40008C00] = 0x1ACCE551
    machine.mem32[0x40008008] = 0
    import asyncio  # noqa: F401 the interpreter's own: nobody's to shorten

    sizes = [0] * len(MODULES)
    for i in range(len(MODULES)):
        gc.collect()
        before = gc.mem_alloc()
        __import__(MODULES[i])
        gc.collect()
        sizes[i] = gc.mem_alloc() - before
    print("\nBENCH " + json.dumps(sizes))
    while True:
        time.sleep_ms(100)
