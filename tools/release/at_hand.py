"""The keys that are here: which a folder holds of a role, and the passphrase that opens each. For
the commands of `tools.release`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import typer
from securesystemslib.signer import Signer

from tools.release.steps import say
from updater_server.channels import keys as key_files

PASSPHRASE = "DUKA_PASSPHRASE"  # noqa: S105 the variable's name
_TRIES = 3


def secret(given: str, whose: str = "the keys") -> str:
    """The passphrase that was given, or asked for now."""
    return given or str(typer.prompt(f"Passphrase of {whose}", hide_input=True))


class Passphrases:
    """The passphrase of each key file: from the environment, or asked for, key by key. What opened
    one key is tried on the next before anybody is asked.
    """

    def __init__(self, given: str = "") -> None:
        self._given = given
        self._known: list[str] = []

    def __call__(self, path: Path) -> str:
        given = key_files.own_passphrase(PASSPHRASE, path) or self._given
        if given:
            return given
        if not path.is_file():
            raise key_files.KeyFileError(f"there is no key file {path}; nothing was signed")
        for known in self._known:
            if _opens(path, known):
                return known
        for left in reversed(range(_TRIES)):
            answer = secret("", path.name)
            if _opens(path, answer):
                self._known.append(answer)
                break
            if left:
                say(f"That does not open {path.name}. Once more:")
        return answer


def _opens(path: Path, passphrase: str) -> bool:
    try:
        key_files.load(path, passphrase)
    except key_files.KeyFileError:
        return False
    return True


def at_hand(keys: Path | None, passphrase: str, roles: Sequence[str]) -> list[Signer]:
    """Signers of those roles' keys that are in the folder.

    Raises:
        KeyFileError: there is no such folder, it holds no key of any of `roles`, or one does not
            open. Who names no folder has no key here.
    """
    if keys is None:
        return []
    here = fitting(keys, roles)
    return key_files.load_all(keys, Passphrases(passphrase), here)


def unasked(
    keys: Path | None, passphrase: str, roles: Sequence[str]
) -> tuple[dict[str, list[Signer]], list[str]]:
    """For what runs without a person: signers by role of what the folder holds of `roles`, and the
    roles of which it holds nothing. No passphrase is asked for.

    Raises:
        KeyFileError: there is no such folder, or a key does not open.
    """
    if keys is None:
        return {}, [*roles]
    if not keys.is_dir():
        raise key_files.KeyFileError(f"--keys: there is no folder {keys}; nothing was signed")

    def given(path: Path) -> str:
        return key_files.own_passphrase(PASSPHRASE, path) or passphrase

    here = [role for role in roles if _holds(keys, role)]
    found = {role: key_files.load_all(keys, given, [role]) for role in here}
    return found, [role for role in roles if role not in here]


def later(keys: Path | None, passphrase: str, roles: Sequence[str]) -> Callable[[], list[Signer]]:
    """`at_hand`, to be called when somebody has agreed; a slip in `keys` is told now."""
    if keys is not None:
        fitting(keys, roles)
    return lambda: at_hand(keys, passphrase, roles)


def fitting(keys: Path, roles: Sequence[str]) -> list[str]:
    """Those of `roles` that have keys in the folder. Raises as `at_hand`."""
    if not keys.is_dir():
        raise key_files.KeyFileError(f"--keys: there is no folder {keys}; nothing was signed")
    here = [role for role in roles if _holds(keys, role)]
    if not here:
        raise key_files.KeyFileError(
            f"--keys: {keys} holds no key of {' or '.join(roles)}; nothing was signed. Without "
            "--keys a change is staged for keys that are elsewhere"
        )
    return here


def _holds(keys: Path, role: str) -> bool:
    return any(any(keys.glob(f"{role}-[0-9]*.{kind}")) for kind in ("pem", "uri"))


def open_key(path: Path, passphrase: str) -> Signer:
    """The signer of one key file, whose passphrase is asked for where it is not known.

    Raises:
        KeyFileError: no such file, or it does not open.
    """
    known = "" if path.suffix == ".uri" else Passphrases(passphrase)(path)
    return key_files.open_signer(path, known)
