"""Build MicroPython for the emulated Cortex-M3, with our bootloader frozen in.

For `inv qemu.build`, tests and measurements. Everything is made under `build/qemu/`. MicroPython's
source is the tree named by MICROPYTHON_SRC or, on Debian, the distribution's own source package,
reached through an apt configuration of its own that leaves the machine's alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tools.lab import machine_code
from tools.lab.names import FILE as NAMES
from tools.lab.names import PATHS
from tools.release.image import ROOT, for_device

BUILD: Final = ROOT / "build" / "qemu"
FIRMWARE: Final = BUILD / "firmware.elf"
BOARD: Final = ROOT / "bootloader" / "boards" / "qemu"

PROGRAMS: Final = {
    "qemu-system-arm": "qemu-system-arm",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "make": "make",
}
"""What is needed, and the Debian package it is in."""
_PACKAGES: Final = (*PROGRAMS.values(), "libnewlib-arm-none-eabi")
_KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SUITE: Final = "trixie"


class Unavailable(Exception):
    """The board cannot be built here; the text says what is missing and how to get it."""


def firmware() -> Path:
    """Path of an interpreter that fits the sources as they are, built now if it does not.

    Raises:
        Unavailable: a tool or MicroPython's source is missing; nothing is installed for it.
    """
    _need_programs()
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = _fingerprint()
        stamp = BUILD / "made-from.sha256"
        if not (FIRMWARE.is_file() and stamp.is_file() and stamp.read_text() == wanted):
            stamp.unlink(missing_ok=True)
            _make(source())
            stamp.write_text(wanted)
    return FIRMWARE


def install() -> None:
    """Install what is missing of the tools, if this is Debian and we may.

    Raises:
        Unavailable: it is missing still; the text says what to install.
    """
    apt_get = shutil.which("apt-get")
    if not _missing():
        return
    if apt_get and os.geteuid() == 0:
        for step in (("update", "-q"), ("install", "-qy", "--no-install-recommends", *_PACKAGES)):
            subprocess.run([apt_get, *step], check=False, capture_output=True)
    _need_programs()


def source() -> Path:
    """MicroPython's source tree: $MICROPYTHON_SRC, or Debian's, fetched if need be.

    Raises:
        Unavailable: there is none to be had.
    """
    named = os.environ.get("MICROPYTHON_SRC")
    if named:
        tree = Path(named).expanduser().resolve()
        if not (tree / "py" / "mkrules.mk").is_file():
            raise Unavailable(f"MICROPYTHON_SRC={named} is not a tree of MicroPython's sources")
        return tree
    kept = _unpacked()
    return kept or _fetch_debian_source()


def _unpacked() -> Path | None:
    trees = sorted((BUILD / "source").glob("micropython-*/py/mkrules.mk"))
    return trees[-1].parents[1] if trees else None


def _fetch_debian_source() -> Path:
    apt_get, keyring = shutil.which("apt-get"), _KEYRING
    if apt_get is None or not keyring.is_file():
        raise Unavailable("no source of MicroPython: name a tree of it with MICROPYTHON_SRC=/path")
    apt = BUILD / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    sources = apt / "sources.list"
    sources.write_text(
        f"deb-src [signed-by={keyring}] http://deb.debian.org/debian {_SUITE} main\n"
    )
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
    }
    private = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    unpacked = BUILD / "source"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir(parents=True)
    _run([apt_get, *private, "update"], apt, "Debian's list of sources cannot be had")
    # apt checks the signature of the list and, by the list, what it downloads.
    _run(
        [apt_get, *private, "source", "--download-only", "micropython"],
        unpacked,
        "Debian's source package of micropython cannot be had",
    )
    (archive,) = unpacked.glob("micropython_*.orig.tar.*")
    _run(["tar", "-xf", archive.name], unpacked, f"{archive.name} does not unpack")
    tree = _unpacked()
    if tree is None:
        raise Unavailable(f"{archive.name} holds no MicroPython sources")
    return tree


def _make(tree: Path) -> None:
    """Build the cross compiler and the interpreter."""
    compiler = BUILD / "mpy-cross"
    jobs = f"-j{os.cpu_count() or 1}"
    # a name more gives each another number, and make does not know of all that has them
    shutil.rmtree(BUILD / "objects", ignore_errors=True)
    _run(
        ["make", jobs, "-C", str(tree / "mpy-cross"), f"BUILD={compiler}"],
        tree,
        "MicroPython's cross compiler does not build",
    )
    frozen = BUILD / "frozen"
    shutil.rmtree(frozen, ignore_errors=True)
    for original, name in _frozen():
        text = original.read_text(encoding="utf-8")
        device_text = text if original == NAMES else for_device(text)
        if device_text is not None:
            copy = frozen / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(device_text, encoding="utf-8")
    machine_code.write(frozen)
    manifest = BUILD / "manifest.py"
    manifest.write_text(f'include("$(MPY_DIR)/extmod/asyncio")\nfreeze({str(frozen)!r})\n')
    _run(
        [
            "make",
            jobs,
            f"MICROPYTHON_SRC={tree}",
            f"BUILD={BUILD / 'objects'}",
            f"FROZEN_MANIFEST={manifest}",
            f"MICROPY_MPYCROSS={compiler / 'mpy-cross'}",
            "MICROPY_MPYCROSS_DEPENDENCY=",
            f"MPY_LIB_DIR={tree}",  # nothing is taken from micropython-lib
        ],
        BOARD,
        "MicroPython does not build for the board",
    )
    new = FIRMWARE.with_suffix(".new")
    shutil.copyfile(BUILD / "objects" / "firmware.elf", new)
    new.replace(FIRMWARE)  # a QEMU that starts just now loads one or the other


def _frozen() -> Iterator[tuple[Path, str]]:
    """What is frozen in: (file, module's path), as `tools.release.image.build_boot` lays it out."""
    room = ROOT / "bootloader"
    for path in sorted(room.rglob("*.py")):
        name = path.relative_to(ROOT)
        if "__pycache__" in name.parts or name.parts[1] in ("boards", "conformance.py"):
            continue
        yield path, "main.py" if name.parts[1] == "main.py" else name.as_posix()
    yield room / "boards" / "qemu" / "board.py", "board.py"
    yield NAMES, NAMES.name


def _fingerprint() -> str:
    digest = hashlib.sha256(os.environ.get("MICROPYTHON_SRC", "").encode())
    own = [path for path in sorted(BOARD.iterdir()) if path.is_file()]
    of_machine_code = (Path(machine_code.__file__), *machine_code.ORIGINALS)
    frozen = (original for original, _ in _frozen())
    for path in (Path(__file__), PATHS, *own, *of_machine_code, *frozen):
        digest.update(f"{path.name} {path.stat().st_size} ".encode() + path.read_bytes())
    return digest.hexdigest()


def _missing() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program) is None]


def _need_programs() -> None:
    missing = _missing()
    if missing:
        raise Unavailable(
            f"no {', '.join(missing)}: on Debian, `inv qemu.build` as root installs them; "
            f"otherwise: apt-get install {' '.join(_PACKAGES)}"
        )


def _run(command: Sequence[str], folder: Path, trouble: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{trouble}:\n{(done.stdout + done.stderr)[-3000:]}")
