"""The signed release channels: a TUF repository as a folder of static files.

For the release manager's tools (which write it) and the server (which serves it and reads the
catalogue).
Formats: docs/formats/release.md; TUF 1.0 specification.
"""

from updater_server.channels import keys, policy
from updater_server.channels.entry import (
    IMAGE_LIMIT_BYTES,
    Catalogue,
    EntryError,
    Hardware,
    Image,
    InstallGate,
    JournalVersions,
    OfflinePolicy,
    PayloadReference,
    Product,
    ReleaseEntry,
    TrialPolicy,
)
from updater_server.channels.payloads import Payload, PayloadError, build_payloads, expand
from updater_server.channels.policy import (
    CHANNELS,
    TOP_LEVEL_ROLES,
    Policy,
    PolicyError,
    RolePolicy,
    key_role,
)
from updater_server.channels.repository import (
    Judge,
    MissingSignatures,
    ReleaseRefused,
    Repository,
    RepositoryDamaged,
    RepositoryError,
)
from updater_server.channels.rollout import EVERYBODY, RolloutError, RolloutPlan

__all__ = [
    "CHANNELS",
    "EVERYBODY",
    "IMAGE_LIMIT_BYTES",
    "TOP_LEVEL_ROLES",
    "Catalogue",
    "EntryError",
    "Hardware",
    "Image",
    "InstallGate",
    "JournalVersions",
    "Judge",
    "MissingSignatures",
    "OfflinePolicy",
    "Payload",
    "PayloadError",
    "PayloadReference",
    "Policy",
    "PolicyError",
    "Product",
    "ReleaseEntry",
    "ReleaseRefused",
    "Repository",
    "RepositoryDamaged",
    "RepositoryError",
    "RolePolicy",
    "RolloutError",
    "RolloutPlan",
    "TrialPolicy",
    "build_payloads",
    "expand",
    "key_role",
    "keys",
    "policy",
]
