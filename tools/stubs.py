"""Check a real board's files against MicroPython's stubs; `inv lint` calls it.

The stubs install into site-packages beside everything else, where they must not shadow Python's own
modules for the host's check. So they are laid out in a folder of their own, and mypy is given that.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.image import ROOT

STUBS = ("micropython-rp2-rpi_pico2-stubs", "micropython-stdlib-stubs")
_FOLDER = ROOT / "bootloader" / "boards" / "rp2"
FILES = (_FOLDER.with_suffix(".py"), _FOLDER / "norflash.py", _FOLDER / "_boot.py")


def check_board() -> int:
    """Run mypy on the RP2 board's files; 0 if they fit, or if there are no stubs."""
    try:
        installed = [importlib.metadata.distribution(name) for name in STUBS]
    except importlib.metadata.PackageNotFoundError as error:
        print(f"skipped: the RP2 board's types ({error.name} is not installed)")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for package in installed:
            for file in package.files or ():
                if file.suffix == ".pyi" or file.name == "VERSIONS":
                    target = Path(folder, file)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(str(file.locate()), target)
        command = [sys.executable, "-m", "mypy", "--config-file", str(_FOLDER / "mypy.ini")]
        command += ["--custom-typeshed-dir", folder, *map(str, FILES)]
        environment = {"MYPYPATH": f"{folder}:{_FOLDER}:{ROOT}", "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
        )
    # The stubs themselves do not all type-check; that is not ours to judge.
    ours = [line for line in done.stdout.splitlines() if line.startswith("bootloader")]
    print("\n".join(ours) or f"The RP2 board's {len(FILES)} files fit MicroPython's stubs.")
    if done.returncode > 1 or (done.returncode and not done.stdout):
        print(done.stdout + done.stderr)
        return done.returncode
    return int(bool(ours))


if __name__ == "__main__":
    sys.exit(check_board())
