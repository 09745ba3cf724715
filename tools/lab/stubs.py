"""Check the types of device code against MicroPython's stubs; `inv lint` calls it.

The stubs install into site-packages beside everything else, where they must not shadow Python's own
modules for the host's check. So they are laid out in a folder of their own, and mypy is given that.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

from tools.release.image import ROOT

STUBS = ("micropython-rp2-rpi_pico2-stubs", "micropython-stdlib-stubs")
_BOARDS = ROOT / "bootloader" / "boards"
_CONFIG = Path(__file__).with_name("device.mypy.ini")
_LAID_OUT = ROOT / ".mypy_cache" / "device-stubs"
_OF_OTHER_BOARDS = ("sim", "qemu")
"""Their `machine` and `norflash` are not those of the stubs."""


def lay_out() -> Path:
    """The stubs in a folder of their own, as they are installed now.

    Raises:
        importlib.metadata.PackageNotFoundError: they are not.
    """
    installed = [importlib.metadata.distribution(name) for name in STUBS]
    stamp = " ".join(f"{package.name} {package.version}" for package in installed)
    made = _LAID_OUT / "made-from"
    if not made.exists() or made.read_text() != stamp:
        shutil.rmtree(_LAID_OUT, ignore_errors=True)
        for package in installed:
            for file in package.files or ():
                if file.suffix == ".pyi" or file.name == "VERSIONS":
                    target = _LAID_OUT / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(str(file.locate()), target)
        made.write_text(stamp)
    return _LAID_OUT


def files() -> list[Path]:
    """Every file of device code that is checked."""
    return [
        file
        for room in ("firmware", "bootloader")
        for file in sorted((ROOT / room).rglob("*.py"))
        if not any(file.is_relative_to(_BOARDS / other) for other in _OF_OTHER_BOARDS)
        and file.name not in ("manifest.py", "names.py")
    ]


def check_device(only: list[str]) -> int:
    """Run mypy on device code; 0 if it fits, or if there are no stubs.

    `only`: beginnings of paths whose findings are shown; all if empty.
    """
    try:
        stubs = lay_out()
    except importlib.metadata.PackageNotFoundError as error:
        print(f"skipped: types of device code ({error.name} is not installed)")
        return 0
    command = [sys.executable, "-m", "mypy", "--config-file", str(_CONFIG)]
    command += ["--custom-typeshed-dir", str(stubs), *map(str, files())]
    environment = {"MYPYPATH": f"{stubs}:{_BOARDS / 'rp2'}:{ROOT}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    # The stubs themselves do not all type-check; that is not ours to judge.
    ours = [
        line for line in done.stdout.splitlines() if line.startswith(("bootloader", "firmware"))
    ]
    shown = [line for line in ours if not only or line.startswith(tuple(only))]
    print("\n".join(shown) or f"Device code, {len(files())} files, fits MicroPython's stubs.")
    if done.returncode > 1 or (done.returncode and not done.stdout):
        print(done.stdout + done.stderr)
        return done.returncode
    return int(bool(shown))


if __name__ == "__main__":
    sys.exit(check_device(sys.argv[1:]))
