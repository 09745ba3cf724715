"""Which books a request of a program is about: its token says whether it is tried out in the
sandbox. For `faces.app`.
"""

from __future__ import annotations

from litestar.datastructures import ResponseHeader
from litestar.types import Scope

from updater_server.parties.tokens import SANDBOX_PREFIX

HEADERS = (ResponseHeader(name="Duka-Sandbox", value="nothing here is real"),)
"""Of each answer from the sandbox."""
_PREFIX = SANDBOX_PREFIX.encode()


def is_meant(scope: Scope) -> bool:
    """Whether a sandbox's token asks, wherever the shape of the call has it: after `Bearer`, as
    `apiKey`, or in the path.
    """
    for name, value in scope["headers"]:
        if name == b"authorization" and value.partition(b" ")[2].strip().startswith(_PREFIX):
            return True
        if name == b"apikey" and value.startswith(_PREFIX):
            return True
    return f"/{SANDBOX_PREFIX}" in str(scope["path"])
