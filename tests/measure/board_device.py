# mypy: ignore-errors
# Device code: MicroPython has no typing.
# Goes into a release as firmware/measure.py. Does the terminal's costly work with nothing else
# running, counts instructions (QEMU at 1 ns each) or watches the heap, and prints a line of JSON.
import asyncio
import gc
import json
import struct
import sys
import time

import machine

from firmware.net.http import Response
from firmware.paper import receipt

ARCHIVE = 0x800000
INSTRUCTIONS_A_US = 1000
FINE_SWEEP_BYTES = 4096


def files(board):
    """{path: view of the flash} of what the host left behind the terminal's own partitions."""
    found = {}
    at = ARCHIVE
    while True:
        name_size, size = struct.unpack("<HI", board.flash.mapped(at, 6))
        if name_size == 0xFFFF:
            return found
        at += 6
        name = bytes(board.flash.mapped(at, name_size)).decode()
        at += name_size
        found[name] = board.flash.mapped(at, size)
        at += size


class Server:
    """Answers as `firmware.net.http_client.HttpClient` does, out of the flash."""

    def __init__(self, found):
        self._files = found

    async def request(
        self, method, path, headers=(), body=b"", sink=None, limit_bytes=0, on_head=None
    ):
        if path not in self._files:
            return Response(404, {}, b"")
        content = self._files[path]
        status = 200
        head = {}
        for name, value in headers:
            if name == "Range":
                first, last = value[6:].split("-")
                head["content-range"] = "bytes " + value[6:] + "/" + str(len(content))
                content = content[int(first) : int(last) + 1]
                status = 206
        if on_head:
            on_head(status, head)
        if sink:
            sink(content)
            content = b""
        return Response(status, head, bytes(content))


class Meter:
    """Figures of one piece of work after the other."""

    def __init__(self, watches_heap):
        self._watches_heap = watches_heap
        self.figures = {}
        if watches_heap:
            gc.threshold(FINE_SWEEP_BYTES)

    def start(self):
        gc.collect()
        machine.heap_peak()
        self._from = machine.busy_us()

    def stop(self, name):
        if self._watches_heap:
            gc.collect()
            self.figures[name] = machine.heap_peak()
        else:
            self.figures[name] = (machine.busy_us() - self._from) * INSTRUCTIONS_A_US


def sell(app):
    sale = app.till.begin_offline("air50")
    sold = app.till.voucher(sale)
    receipt.voucher(
        app.words, app.config, app.catalogue, app.terminal_id, sold, app.now(), False, True
    )
    app.till.printed(sale, True)


async def update(app, meter):
    meter.start()
    await app.updates._poll()
    meter.stop("metadata_refresh")
    meter.start()
    await app.updates._prepare()
    meter.stop("delta_install")


def run(board, app, boot_us):
    started_us = machine.busy_us()
    # Sweeping the heap all the time takes longer than any watchdog allows.
    machine.mem32[0x40008C00] = 0x1ACCE551
    machine.mem32[0x40008008] = 0
    found = files(board)
    meter = Meter("heap" in found)
    figures = meter.figures
    gc.collect()
    if "heap" in found:
        figures["at_rest"] = gc.mem_alloc()
    else:
        figures["verified_boot"] = boot_us * INSTRUCTIONS_A_US
        figures["start"] = (started_us - boot_us) * INSTRUCTIONS_A_US
    meter.start()
    sell(app)
    meter.stop("sale")
    # not before: at rest it is not in the heap
    from firmware import works

    for work in works.WORKS[:1] if "heap" in found else works.WORKS:
        work()  # what it loads is loaded then
        meter.start()
        work()
        meter.stop(work.__name__)
    del sys.modules["firmware.works"], works
    app.updates.server.http = Server(found)
    asyncio.run(update(app, meter))
    print("\nBENCH " + json.dumps(figures))
    while True:
        time.sleep_ms(100)
