"""The targets roles that were taken in, and who of them may list what. For `tuf` only: it takes in
nothing that was not verified.
"""

from hashlib import sha256

from .compat import const
from .tuf_files import TOP, Malformed, Signers, get, natural, read_hashes, read_keys
from .tuf_paths import path_matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .crypto.signatures import Key
    from .tuf_files import Envelope, Json

    Matters = Callable[["Delegation"], bool]

MAX_DELEGATIONS = const(32)
"""Roles visited in one search, at most."""


class Delegation:
    """One entry of `delegations.roles`."""

    def __init__(self, role: str, entry: "Json", keys: "dict[str, Key]") -> None:
        """Raises Malformed."""
        self.name: str = get(role, entry, "name", str)
        if not self.name or self.name in TOP:
            raise Malformed(role, "a delegated role cannot have that name")
        self.signers = Signers(role, entry, keys)
        self.terminating: bool = get(role, entry, "terminating", bool)
        has_paths = "paths" in entry
        if has_paths == ("path_hash_prefixes" in entry):
            raise Malformed(role, "paths or path_hash_prefixes, one of them, is needed")
        self._by_hash = not has_paths
        self._patterns = get(role, entry, "paths" if has_paths else "path_hash_prefixes", list)
        for pattern in self._patterns:
            if not isinstance(pattern, str):
                raise Malformed(role, "path patterns must be text")

    def matches(self, path: str) -> bool:
        """Whether the role may list `path`, as far as this delegation says."""
        if self._by_hash:
            digest = sha256(path.encode()).digest().hex()
            return any(digest.startswith(prefix) for prefix in self._patterns)
        return any(path_matches(pattern, path) for pattern in self._patterns)


class TargetsFile:
    """A file of targets: what it lists ({path: entry}) and to whom it delegates. It takes what
    `file.signed` holds, piece by piece, as a board's heap has no room for both.

    `matters(delegation)`: of those to whom it delegates only these are kept, and their keys;
    `others`: the names of the rest. All are read and checked.
    """

    def __init__(self, file: "Envelope", matters: "Matters | None" = None) -> None:
        """Raises Malformed."""
        role = file.role
        self.targets: Json = get(role, file.signed, "targets", dict)
        for entry in self.targets.values():
            natural(role, entry, "length", 0)
            read_hashes(role, entry)
        self.keys: dict[str, Key] = {}
        self.delegations: list[Delegation] = []
        self.others: list[str] = []
        if "delegations" in file.signed:
            delegations = get(role, file.signed, "delegations", dict)
            keys = read_keys(role, get(role, delegations, "keys", dict))
            entries = get(role, delegations, "roles", list)
            entries.reverse()
            while entries:
                item = Delegation(role, entries.pop(), keys)
                if self.delegation(item.name) or item.name in self.others:
                    raise Malformed(role, "two delegations to one role")
                if matters is not None and not matters(item):
                    self.others.append(item.name)
                    continue
                self.delegations.append(item)
                for keyid in item.signers.keyids:
                    if keyid in keys:
                        self.keys[keyid] = keys[keyid]

    def delegation(self, role: str) -> Delegation | None:
        """How this one delegates to `role`, or None."""
        for item in self.delegations:
            if item.name == role:
                return item
        return None


class _Taken:
    """A file in its place below `parent`, which delegates to it so (the top one: None)."""

    def __init__(self, file: TargetsFile, parent: str, delegation: Delegation | None) -> None:
        self.file = file
        self.parent = parent
        self.delegation = delegation


class TargetsRoles:
    """What was taken in, from the top `targets` down."""

    def __init__(self) -> None:
        self._taken: dict[str, _Taken] = {}

    def is_empty(self) -> bool:
        """Whether nothing was taken in yet."""
        return not self._taken

    def file(self, role: str) -> TargetsFile | None:
        """The file of a role, or None if it was not taken in."""
        taken = self._taken.get(role)
        return taken.file if taken else None

    def take(
        self, role: str, file: TargetsFile, parent: str, delegation: Delegation | None
    ) -> None:
        """Take in the verified file of `role`, to which `parent` delegates so."""
        self._taken[role] = _Taken(file, parent, delegation)

    def chain(self, role: str) -> list[str] | None:
        """`role` and those that delegate down to it, the top one last; None if they go round."""
        found = [role]
        while role != "targets":
            role = self._taken[role].parent
            found.append(role)
            if len(found) > MAX_DELEGATIONS:
                return None
        return found

    def targets(self, role: str) -> "Json":
        """{path: entry} of a role, without what the delegations down to it do not let it list."""
        taken = self._taken[role].file.targets
        chain = self.chain(role)
        if chain is None:
            return {}
        return {path: taken[path] for path in taken if self._is_permitted(chain, path)}

    def _is_permitted(self, chain: list[str], path: str) -> bool:
        for role in chain:
            delegation = self._taken[role].delegation
            if delegation is not None and not delegation.matches(path):
                return False
        return True

    def find(self, path: str) -> "tuple[str, Any, Any]":
        """As `tuf.TrustedMetadata.find`."""
        waiting = [("targets", "root")]
        visited: list[str] = []
        while waiting and len(visited) < MAX_DELEGATIONS:
            role, parent = waiting.pop()
            if role in visited:
                continue
            taken = self._taken.get(role)
            if taken is None or taken.parent != parent:
                return "load", role, parent
            visited.append(role)
            if path in taken.file.targets:
                return "found", role, taken.file.targets[path]
            children = []
            for item in taken.file.delegations:
                if item.matches(path):
                    children.append((item.name, role))
                    if item.terminating:
                        waiting = []
                        break
            children.reverse()
            waiting.extend(children)
        return "absent", None, None
