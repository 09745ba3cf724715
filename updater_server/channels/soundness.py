"""Is what is published sound, and does the log tell of it: what a terminal would check, that each
listed file is there, and that nobody rewrote who did what. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tuf.api.metadata import Metadata, Targets

from updater_server.channels import lists
from updater_server.channels.audit import AuditDamaged, AuditLine, AuditLog
from updater_server.channels.entry import EntryError
from updater_server.channels.errors import RepositoryDamaged, RepositoryError
from updater_server.channels.policy import (
    BRAKE_ROLES,
    CHANNELS,
    DELEGATED_ROLES,
    ROLLOUT_ROLES,
    channel_of,
)
from updater_server.channels.published import Published
from updater_server.channels.rollout import RolloutError


def problems(published: Published, now: datetime) -> list[str]:
    """Everything that is wrong with what is in force at `now`, read anew; empty when sound."""
    try:
        published.read_anew()
    except RepositoryDamaged as error:
        return [str(error)]
    found = [*published.damaged.values()]
    metadata = published.metadata
    for name, of_role in metadata.items():
        if of_role.signed.is_expired(now):
            found.append(f"{name} expired at {of_role.signed.expires:%Y-%m-%d %H:%M} UTC")
    for role in DELEGATED_ROLES:
        if role in metadata:
            found += _problems_of_list(published, role, metadata[role])
    return found


def _problems_of_list(
    published: Published, role: str, metadata: Metadata[Targets]
) -> Iterator[str]:
    delegations = published.metadata["targets"].signed.delegations
    for path in metadata.signed.targets:
        if not delegations.roles[role].is_delegated_path(path):
            yield f"{role} lists {path}, which it may not"
        try:
            published.target_bytes(path)
        except RepositoryError as error:
            yield str(error)
    try:
        if role in ROLLOUT_ROLES.values():
            lists.plan_in(channel_of(role), metadata.signed)
        if role in BRAKE_ROLES.values():
            lists.halts_in(channel_of(role), metadata.signed)
        if role in CHANNELS:
            for entry in lists.entries_in(metadata.signed):
                for reference in entry.payloads:
                    if reference.path not in metadata.signed.targets:
                        yield f"{role}: payload {reference.path} is not listed"
    except (RolloutError, EntryError) as error:
        yield f"{role}: {error}"


def checked_log(published: Published, log: AuditLog) -> list[AuditLine]:
    """What was done to a repository, oldest first.

    Raises:
        RepositoryDamaged: the log was changed, or does not tell of what is in force.
    """
    try:
        lines = list(log.read())
    except AuditDamaged as error:
        raise RepositoryDamaged(f"audit log: {error}") from error
    told: dict[str, int] = {}
    for line in lines:
        if line.what == "publish":
            told |= line.details
        elif line.what == "create":
            told |= dict.fromkeys(line.details["roles"], 1)
    anchors = log.anchors()
    for role, metadata in published.metadata.items():
        version = metadata.signed.version
        if told.get(role) != version:
            raise RepositoryDamaged(
                f"audit log: {role} is at version {version}, the log tells of "
                f"{told.get(role, 'none')}"
            )
    for role, metadata in published.metadata.items():
        named = metadata.signed.unrecognized_fields.get("log")
        is_first = metadata.signed.version == 1 and not named
        if role != "timestamp" and not is_first and named not in anchors:
            raise RepositoryDamaged(
                f"audit log: {role} was signed when the log held a line that it holds no "
                f"more: it was written anew"
            )
    return lines
