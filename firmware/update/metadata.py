"""The client workflow of TUF (specification 1.0, section 5) with a store and a link: what to read,
what to fetch, what to keep. The update client calls it; so does the command by which public
conformance suites reach this code. What may be trusted is `bootloader.shared.tuf`'s to decide.
"""

from bootloader.shared import tuf
from bootloader.shared.compat import collect, sleep_ms

from .errors import Missing, Untrusted
from .taken import Taken, halts_path, plan_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Protocol

    from bootloader.shared.tuf_delegations import Delegation, Matters

    Fetch = Callable[[str, int], Awaitable[bytes]]
    Pause = Callable[[], Awaitable[None]]
    Update = Callable[[bytes], bool | None]

    class Files(Protocol):
        """What is written is there whole or not at all; `read` gives None if there is none."""

        def read(self, name: str, limit_bytes: int) -> bytes | None: ...
        def write(self, name: str, data: bytes) -> None: ...
        def remove(self, name: str) -> None: ...


class Metadata:
    """One refresh. `expired` lists what was past its date, in words: then nothing may be installed.
    `taken`: what `take_channel` found.

    store: `read(name, limit_bytes)` (None if there is none), `write`, `remove`; what is written is
    there whole or not at all. `await fetch(name, limit_bytes)`: the file's bytes; raises `Missing`.
    `known`: what `tuf.TrustedMetadata` keeps of files verified before.
    With `keep_expired` what is past its date is taken in and kept all the same, so that a terminal
    whose clock or server is behind still learns of newer trust; without, it ends the refresh as
    the specification has it.
    `await pause()`: others work now; what it raises ends the refresh between two files.
    """

    def __init__(
        self,
        store: "Files",
        fetch: "Fetch",
        log: "Callable[[str], object]",
        keep_expired: bool = True,
        known: list[bytes] | None = None,
        pause: "Pause" = lambda: sleep_ms(0),
    ) -> None:
        self._store = store
        self._fetch = fetch
        self._log = log
        self._keep_expired = keep_expired
        self._known = known
        self._pause = pause
        self._matters: Matters | None = None
        self._trusted: tuf.TrustedMetadata | None = None
        self.expired: list[str] = []
        self._taken: Taken | None = None

    @property
    def trusted(self) -> tuf.TrustedMetadata:
        """What is trusted so far. Raises RuntimeError before `refresh` has begun."""
        if self._trusted is None:
            raise RuntimeError("no refresh has begun")
        return self._trusted

    @property
    def taken(self) -> Taken:
        """What `take_channel` found. Raises RuntimeError before it has."""
        if self._taken is None:
            raise RuntimeError("nothing was taken in")
        return self._taken

    async def refresh(self, now_s: int, timestamp: bytes | None = None) -> None:
        """Root, timestamp, snapshot and targets. `timestamp`: its bytes, if they were fetched.

        Raises:
            TrustError: refused; what was taken in before stays. Whatever `fetch` raises.
        """
        root = self._store.read("root.json", tuf.LIMITS_BYTES["root"])
        if root is None:
            raise tuf.Malformed("root", "there is none; provision the terminal")
        trusted = self._trusted = tuf.TrustedMetadata(root, now_s, self._known, self._matters)
        root = None
        await self._update_roots()
        self._stored(trusted.update_timestamp, "timestamp")
        if timestamp is None:
            timestamp = await self._fetch("timestamp.json", tuf.LIMITS_BYTES["timestamp"])
        if self._take(trusted.update_timestamp, timestamp):
            self._store.write("timestamp.json", timestamp)
        self._log("timestamp %d" % trusted.timestamp_version)
        timestamp = None
        collect()
        await self._pause()
        if not self._stored(lambda data: trusted.update_snapshot(data, True), "snapshot"):
            await self._fetched(trusted.update_snapshot, "snapshot")
        await self.take_role("targets", "root")

    async def take_channel(
        self, channel: str, prices: str, now_s: int, timestamp: bytes | None
    ) -> None:
        """A refresh down to all that a terminal on `channel` needs: its releases, its rollout plan,
        what its brake halts, and the price list `prices` (a target). Returns nothing: what a task
        returns, its loop keeps in the heap until another task ends.

        Raises:
            Untrusted: something was refused. Whatever `fetch` raises.
        """
        plan, halts = plan_path(channel), halts_path(channel)

        def matters(item: "Delegation") -> bool:
            if item.name in (channel, "catalogue"):
                return True
            return any(item.matches(path) for path in (plan, halts, prices))

        self._matters = matters
        try:
            await self.refresh(now_s, timestamp)
            for role in (channel, "catalogue"):
                await self.take_role(role, "targets")
            # An online role says how far a release is let out; where there is none, to nobody.
            found, role, parent = self.trusted.find(plan)
            if found == "load":
                await self.take_role(role, parent)
            # Its first version halts nothing, and is not worth its airtime.
            found, role, parent = self.trusted.find(halts)
            if found == "load" and self.trusted.listed_version(role) > 1:
                await self.take_role(role, parent)
            self._taken = Taken(self.trusted, channel, prices)
        except tuf.TrustError as error:
            raise Untrusted("fork" if isinstance(error, tuf.Forked) else "metadata", str(error))

    async def take_role(self, role: str, parent: str) -> None:
        """Take in a targets role, the stored file if it is the listed one, else the server's.

        Raises as `refresh`.
        """
        collect()
        await self._pause()

        def update(data: bytes) -> None:
            self.trusted.update_delegated(role, parent, data)

        if not self._stored(update, role):
            await self._fetched(update, role)

    async def _update_roots(self) -> None:
        trusted = self.trusted
        for _ in range(tuf.MAX_ROOT_ROTATIONS):
            try:
                data = await self._fetch(trusted.file_name("root"), tuf.LIMITS_BYTES["root"])
            except Missing:
                return
            trusted.update_root(data)
            if trusted.rotated:
                # Before the root is stored (section 5.3.11): what the lost keys signed must not
                # hold back what the new ones sign.
                self._store.remove("timestamp.json")
                self._store.remove("snapshot.json")
            self._store.write("root.json", data)
            self._log("root %d" % trusted.root_version)

    async def _fetched(self, update: "Update", role: str) -> None:
        trusted = self.trusted
        data = await self._fetch(trusted.file_name(role), trusted.limit_bytes(role))
        self._take(update, data)
        self._store.write(tuf.quoted(role) + ".json", data)

    def _note(self, error: tuf.Expired) -> None:
        if not self._keep_expired:
            raise error
        self.expired.append(str(error))

    def _take(self, update: "Update", data: bytes) -> bool:
        """`update(data)`; True unless that says that nothing is new."""
        try:
            return update(data) is not False
        except tuf.Expired as error:
            self._note(error)
            return True

    def _stored(self, update: "Update", role: str) -> bool:
        """Take in the stored file of `role`. False if there is none or it is of no use now."""
        limit = tuf.LIMITS_BYTES.get(role, tuf.LIMITS_BYTES["delegated"])
        data = self._store.read(tuf.quoted(role) + ".json", limit)
        if data is None:
            return False
        try:
            update(data)
        except tuf.Expired as error:
            if role != "timestamp":  # the one fetched next decides whether that is fresh
                self._note(error)
        except tuf.Forked:
            raise  # fetching what the server has now would hide it
        except tuf.TrustError:
            return False
        return True
