# The chip's flash driver: `Flash`, with one instance for the whole part.
# Programs use it as a port's native module. `mapped` models execute in place: the chip sees all of
# its flash at fixed addresses; here a window as large as the flash lies beside the program's heap,
# is filled sector by sector when first looked at, and follows each program and erase.
import machine
from machine import _call
from micropython import const

_SECTOR = const(4096)
_CHUNK = const(32768)

_window = None  # set by start.py: allocated before anything else
_seen = None  # one byte a sector: whether the window shows it

# Whether what the window shows is so: where time is simulated, no cell is damaged without that the
# CPU is told of it before it goes on.
_window_is_true = False


class Flash:
    SECTOR_BYTES = _SECTOR
    PAGE_BYTES = const(256)

    def __init__(self):
        self.size_bytes = _call(0x30)[0]

    def read_into(self, address, buf):
        size = len(buf)
        if not size:
            return
        if _window_is_true:
            sector = address // _SECTOR
            end = address + size
            is_inside = address >= 0 and end <= self.size_bytes
            if is_inside and _seen[sector] and (end - 1) // _SECTOR == sector:
                buf[:] = memoryview(_window)[address:end]  # most of what is read lies in one
                return
        view = memoryview(buf)
        if _window_is_true:
            view[:] = self.mapped(address, len(view))
            return
        for at in range(0, len(view), _CHUNK):
            part = view[at : at + _CHUNK]
            _call(0x31, 0, address + at, len(part), into=part)

    def program(self, address, data):
        _call(0x32, 0, address, payload=data)
        self._refresh(address)

    def erase(self, address):
        _call(0x33, 0, address)
        self._refresh(address)

    def lock(self, end_address):
        _call(0x34, 0, end_address)

    def mapped(self, address, size):
        end = address + size
        if address < 0 or size < 0 or end > self.size_bytes:
            raise OSError(22, "outside the flash")
        sector = address // _SECTOR
        last = (end - 1) // _SECTOR
        while sector <= last:
            if _seen[sector]:
                sector += 1
                continue
            first = sector
            while sector <= last and not _seen[sector] and sector - first < 8:
                sector += 1
            self._look(first, sector)
        return memoryview(_window)[address:end]

    def _refresh(self, address):
        # Changes stay within a sector.
        sector = address // _SECTOR
        if _seen[sector]:
            self._look(sector, sector + 1)

    def _look(self, first, end):
        # At most eight sectors. What is weak is looked at again each time.
        size = (end - first) * _SECTOR
        view = memoryview(_window)[first * _SECTOR : end * _SECTOR]
        weak, _ = _call(0x31, 0, first * _SECTOR, size, into=view)
        for sector in range(first, end):
            _seen[sector] = not weak


def _forget():
    _seen[:] = bytes(len(_seen))


machine._flash_changed = _forget
