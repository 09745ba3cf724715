"""What the server's people may read when something is refused. Any module of the server may raise
these.
"""


class ServerError(Exception):
    """A refusal whose text says what to do next."""


class StateError(ServerError):
    """The data folder is not in the state the command needs."""


class VaultError(ServerError):
    """Something sealed under the server key does not open: damaged, moved, or another key."""


class InputError(ServerError):
    """An operator's or technician's input is wrong; nothing was changed."""


class ConflictError(ServerError):
    """What is asked contradicts what is recorded for ever; nothing was changed."""


class BusyError(ServerError):
    """More wants to be done than can be done in time; nothing was changed. Try again later."""


class KeyMissing(BusyError):
    """Something sealed is whole, and this process has not the key for it: another one has. Nothing
    was changed.
    """
