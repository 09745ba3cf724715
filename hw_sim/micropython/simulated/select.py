"""Polling on the simulated chip's clock."""

# In place of the interpreter's `select`, as time.py beside it. Streams that are objects get ready
# by what the program does and by interrupts; so does the console, the one stream of the host.
import sys
import time

_path, sys.path = sys.path, []
from select import *  # noqa: E402, F403
from select import poll as _host_poll  # noqa: E402

sys.path = _path

_POLL = 3  # request of a stream's ioctl


class poll:
    def __init__(self):
        self._host = _host_poll()
        self._host_count = 0
        self._streams = []  # [stream, events]

    def register(self, stream, events=5):
        if hasattr(stream, "ioctl"):
            self._streams.append([stream, events])
        else:
            self._host.register(stream, events)
            self._host_count += 1

    def unregister(self, stream):
        for at, each in enumerate(self._streams):
            if each[0] is stream:
                del self._streams[at]
                return
        self._host.unregister(stream)
        self._host_count -= 1

    def modify(self, stream, events):
        for each in self._streams:
            if each[0] is stream:
                each[1] = events
                return
        self._host.modify(stream, events)

    def _ready(self):
        found = self._host.poll(0) if self._host_count else []
        for stream, events in self._streams:
            ready = stream.ioctl(_POLL, events)
            if ready:
                found.append((stream, ready))
        return found

    def poll(self, timeout=-1):
        found = self._ready()
        if found or not timeout:
            return found
        while not found and timeout:
            if timeout > 0:
                until = time.ticks_add(time.ticks_ms(), timeout)
                time.wait(timeout)
                timeout = max(0, time.ticks_diff(until, time.ticks_ms()))
            else:
                time.wait(None)
            found = self._ready()
        return found

    def ipoll(self, timeout=-1, flags=0):
        return iter(self.poll(timeout))
