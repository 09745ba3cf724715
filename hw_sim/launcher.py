"""CPython's part in starting the simulated chip: `python -I -S launcher.py MODULE WINDOW_BYTES …`.

MODULE is the file of an interpreter that was packed as a module of CPython; it runs in this process
with the arguments that follow. Before that the flash's window is put beside its heap, where no
garbage collection looks at it, and its address handed over as HW_SIM_WINDOW.
"""

import ctypes
import mmap
import os
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader

_NAME = "micropython_run"


def main() -> int:
    """Run the interpreter; its status."""
    file, window_bytes = sys.argv[1], int(sys.argv[2])
    window = mmap.mmap(-1, window_bytes)
    address = ctypes.addressof(ctypes.c_char.from_buffer(window))
    os.environ["HW_SIM_WINDOW"] = str(address)
    loader = ExtensionFileLoader(_NAME, file)
    spec = spec_from_loader(_NAME, loader)
    assert spec is not None, "a loader was given"
    module = module_from_spec(spec)
    loader.exec_module(module)
    status: int = module.run_main(["micropython", *sys.argv[3:]])
    return status


if __name__ == "__main__":
    sys.exit(main())
