"""What the network refuses or loses, as the modem hears of it; the texts say why."""

from __future__ import annotations


class PdpRefusedError(Exception):
    """The network will not give the terminal a data context; the text says why."""


class ConnectFailedError(Exception):
    """No TCP connection came about; the text says why. The modem answers CONNECT FAIL."""


class LinkLostError(Exception):
    """The connection or the data context under it is gone; bytes on their way are lost."""
