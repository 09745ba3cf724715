"""Who asks: the technician behind a token. For the faces of technicians and of the office."""

from __future__ import annotations

import base64

from litestar.exceptions import NotAuthorizedException, PermissionDeniedException

from updater_server.fleet import technicians
from updater_server.service import Service
from updater_server.store.engine import reading


def technician(
    service: Service, authorization: str, scheme: str, *roles: str
) -> technicians.Technician:
    """The technician behind an Authorization header, who must have one of `roles`.

    Raises:
        NotAuthorizedException: (401) no token, or it is nobody's or withdrawn.
        PermissionDeniedException: (403) the token does not open this.
    """
    given, _, credentials = authorization.partition(" ")
    token = credentials.strip() if given.lower() == scheme else ""
    if token and scheme == "basic":
        try:
            token = base64.b64decode(token, validate=True).decode().partition(":")[2]
        except ValueError:  # not ASCII, not base64, or not UTF-8 inside
            token = ""
    if token:
        with reading(service.engine) as connection:
            found = technicians.of_token(connection, token)
        if found is not None:
            if found.role not in roles:
                needed = " or ".join(roles)
                raise PermissionDeniedException(f"a token of the role {needed} is needed")
            return found
    raise NotAuthorizedException("a technician's token is needed")
