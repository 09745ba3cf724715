"""Why a run of the update client ends early: its pieces raise these, `client` decides what next."""


class Interrupted(Exception):
    """Nothing is wrong but the link, or it is not the time; the next run goes on. `why`: the
    server's code for it, if it has one. "ranges": a box on the way sends the whole where a range
    was asked for; dear, so it is tried seldom.
    """

    def __init__(self, text: str = "", why: str | None = None) -> None:
        super().__init__(text)
        self.why = why


class SaleFirst(Interrupted):
    """A merchant is about something, and the heap has no room for that and for a look."""


class Missing(Exception):
    """The server has no file of that name."""


class StorageError(Exception):
    """The payload does not fit the partition, or flash or disk does not take it."""


class Untrusted(Exception):
    """Signed metadata was refused; `why` is the server's code for it: "fork" or "metadata"."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why
