"""What the signed files under /data/trust say of an image, offline. Serial recovery calls it.

Nothing expires here: a terminal that lay in a drawer for two years must still be mended.
"""

import os
from hashlib import sha256

from bootloader.shared import tuf
from bootloader.shared.compat import const
from bootloader.shared.control import Slot
from bootloader.shared.release import Release, ReleaseRefused, fits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootloader.shared.board import Board

_FOLDER = "/data/trust/"
_TOP = ("root", "timestamp", "snapshot", "targets")
_MAX_CHANNELS = const(8)
FILE_BYTES = const(12288)
NEEDS_PERMIT = "this file needs a permit of the server: use tech configure"


class Refused(Exception):
    """The image or the file is not taken. The text says why, for the technician."""


def read(name: str) -> bytes:
    """The bytes of a metadata file. Raises Refused if it is missing or too long."""
    try:
        return _content(_FOLDER + name + ".json")
    except OSError:
        raise Refused("no " + _FOLDER + name + ".json on board: upload the signed files first")


def _content(path: str) -> bytes:
    # Not one byte more than is there: the heap has few pieces of the largest size.
    size_bytes = os.stat(path)[6]
    if size_bytes > FILE_BYTES:
        raise Refused(path + " is too long")
    with open(path, "rb") as file:
        data: bytes = file.read(size_bytes)
        return data


def _channels() -> list[str]:
    names = []
    for name in os.listdir(_FOLDER[:-1]):
        is_list = name[:8] != "rollout-" and name[:6] != "brake-"
        if is_list and name.endswith(".json") and name[:-5] not in _TOP:
            names.append(name[:-5])
    return sorted(names)[:_MAX_CHANNELS]


# Each file that is uploaded is judged by those above it, so the root's signatures would be checked
# with each; a check takes about a second on the board, and SMP clients wait two. What was found
# good since power-on is not checked again.
_found_good: list[bytes] = []


def _trusted(root: bytes) -> tuf.TrustedMetadata:
    return tuf.TrustedMetadata(root, 0, known=_found_good)


def _verified(upto: str | None) -> tuf.TrustedMetadata:
    """TrustedMetadata with the files on board taken in, from the root to before `upto`."""
    trusted = _trusted(read("root"))
    for role, take in (
        ("timestamp", trusted.update_timestamp),
        ("snapshot", trusted.update_snapshot),
        ("targets", trusted.update_targets),
    ):
        if role == upto:
            break
        take(read(role))
    return trusted


def images(board: "Board", security_version: int, sha256: bytes | None = None) -> list[Slot]:
    """The images that the channels on board list and that may run here, each as a
    `bootloader.shared.control.Slot`; with `sha256` (bytes) only those of that content.

    Raises Refused if the signed files are missing or do not verify, or if an image asked for by
    its SHA-256 is not listed or must not run here.
    """
    found = []
    why = None
    broken = ""
    try:
        trusted = _verified(None)
        for channel in _channels():
            try:
                trusted.update_delegated(channel, "targets", read(channel))
            except tuf.TrustError as error:  # an old list beside a newer snapshot hides no other
                broken = " (" + str(error) + ")"
                continue
            for path, target in trusted.targets(channel).items():
                if not path.endswith(".full"):
                    continue
                try:
                    release = Release.parse(path, target)
                    if sha256 is None or release.image_sha256 == sha256:
                        _judge(release, board, security_version)
                        found.append(_as_slot(release))
                except ReleaseRefused as refused:
                    why = str(refused)
    except tuf.TrustError as error:
        raise Refused("the signed files do not verify: " + str(error))
    except OSError:
        raise Refused("no signed files on board: upload them first")
    if sha256 is not None and not found:
        listed = "not listed by the channels on board: unsigned, or withdrawn"
        raise Refused(why or listed + broken)
    return found


def _judge(release: Release, board: "Board", security_version: int) -> None:
    # What runs is not asked: a technician may put the same release back.
    fits(release, board, security_version)


def _as_slot(release: Release) -> Slot:
    slot = Slot()
    slot.image_size = release.image_size_bytes
    slot.sha256 = release.image_sha256
    slot.release = release.release
    slot.security_version = release.security_version
    slot.crashes_allowed = release.crashes_allowed
    slot.unconfirmed_boots_allowed = release.unconfirmed_boots_allowed
    slot.selftest_deadline_s = release.selftest_deadline_s
    return slot


def _describe(name: str, path: str) -> bytes:
    """SHA-256 of a file's name, a zero, and its content."""
    digest = sha256(name.encode() + b"\0")
    with open(path, "rb") as file:
        while True:
            piece = file.read(256)
            if not piece:
                described: bytes = digest.digest()
                return described
            digest.update(piece)


def check_file(name: str, path: str, is_sealed: bool, permitted: bytes | None = None) -> None:
    """Return only if what is in the file `path` may become the file `name` (both under /data).

    A metadata file must verify against those on board, and not be older. On a terminal whose
    identity `is_sealed` (it had its first image) a price list must be the one that the catalogue
    role on board lists, and any other file the one that the server `permitted` (`_describe`): a
    merchant's PIN, the server's address and the list of refused releases are in such files.
    Raises Refused with the reason.
    """
    if not name.startswith(_FOLDER):
        if not is_sealed:
            return
        if name == "/data/catalogue.json":
            _check_catalogue(path)
        elif permitted is None or _describe(name, path) != permitted:
            raise Refused(NEEDS_PERMIT)
        return
    role = name[len(_FOLDER) : -5]
    if not name.endswith(".json") or "/" in role:
        raise Refused("only metadata files go into " + _FOLDER)
    data = _content(path)
    try:
        if role == "root":
            _check_root(data)
            return
        trusted = _verified(role)
        if role == "timestamp":
            _known(trusted.update_timestamp, role)
            trusted.update_timestamp(data)
            if trusted.forked:
                raise Refused("the timestamp on board has that version and other content")
        elif role == "snapshot":
            _known(lambda stored: trusted.update_snapshot(stored, True), role)
            trusted.update_snapshot(data)
        elif role == "targets":
            trusted.update_targets(data)
        else:
            trusted.update_delegated(role, "targets", data)
    except tuf.TrustError as error:
        raise Refused(str(error))


def _check_catalogue(path: str) -> None:
    try:
        trusted = _verified(None)
        trusted.update_delegated("catalogue", "targets", read("catalogue"))
    except tuf.TrustError as error:
        raise Refused("the signed files do not verify: " + str(error))
    digest = sha256(_content(path)).digest().hex()
    for target in trusted.targets("catalogue").values():
        if target["hashes"].get("sha256") == digest:
            return
    raise Refused("that price list is not the signed one")


def _known(take: "Callable[[bytes], object]", role: str) -> None:
    """Take in the file on board, if it is there and good, so that none older is accepted."""
    try:
        take(read(role))
    except tuf.Forked:
        raise
    except (Refused, tuf.TrustError):
        pass


def _check_root(data: bytes) -> None:
    try:
        stored = read("root")
        trusted = _trusted(stored)
    except (Refused, tuf.TrustError):
        _trusted(data)
        return
    if data == stored:
        return
    trusted.update_root(data)
    if trusted.rotated:
        # TUF 1.0.31 section 5.3.11: an attacker with the old keys may have set versions that no
        # honest file could reach. They go before the root comes.
        for role in ("timestamp", "snapshot"):
            try:
                os.remove(_FOLDER + role + ".json")
            except OSError:
                pass
