"""Why the channels refuse: every error of `channels.repository` and its parts. What breaks a format
or a policy, or is no key, is told by the file that reads it.
"""

from __future__ import annotations

from collections.abc import Mapping


class RepositoryError(Exception):
    """The repository refuses; nothing was changed."""


class RepositoryDamaged(RepositoryError):
    """A file is missing, is not what was signed, or does not fit the others."""


class MissingSignatures(RepositoryError):
    """A role's threshold is not reached; `missing` says how many signatures each role still
    needs.
    """

    def __init__(self, missing: Mapping[str, int]) -> None:
        self.missing = dict(missing)
        wanted = ", ".join(f"{role}: {count} more" for role, count in missing.items())
        super().__init__(
            f"not signed by enough keys ({wanted}); `release publish --role ROLE` puts another "
            f"role into force without"
        )


class ReleaseRefused(RepositoryError):
    """A release does not fit what the channel already holds."""


class PromotionRefused(ReleaseRefused):
    """A guard stands before the next channel; `guard` is its name, with which the text begins."""

    def __init__(self, guard: str, text: str) -> None:
        self.guard = guard
        super().__init__(f"{guard}: {text}")


class ChangedMeanwhile(RepositoryError):
    """What waits for a role is not what was shown; nothing was signed."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"what waits for {role} is not what was shown: somebody changed it meanwhile. Nothing "
            f"was signed; look at it again (`release show`, `release audit`)"
        )


class RoleTooLarge(RepositoryError):
    """What was to be staged would be more than a terminal has room for."""
