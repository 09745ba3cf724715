"""The signed release channels: a TUF repository as a folder of static files. Here live its reading,
staging, signing and publishing; no database, no HTTP, and nothing that only a command line needs.

For the release manager's tools (which change it: `Repository`), and the server, whose requests read
it (`Published`, and `Waiting` for what lies beside it) and whose renewal alone signs. Formats:
docs/formats/release.md; TUF 1.0.
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
    Pace,
    PayloadReference,
    Product,
    ReleaseEntry,
    TrialPolicy,
)
from updater_server.channels.errors import (
    ChangedMeanwhile,
    MissingSignatures,
    PromotionRefused,
    ReleaseRefused,
    RepositoryDamaged,
    RepositoryError,
)
from updater_server.channels.judge import Judge
from updater_server.channels.payloads import Payload, PayloadError, build_payloads, expand
from updater_server.channels.policy import (
    CHANNELS,
    TOP_LEVEL_ROLES,
    Policy,
    PolicyError,
    RolePolicy,
    key_role,
)
from updater_server.channels.published import Published
from updater_server.channels.repository import Repository, open_published
from updater_server.channels.rollout import EVERYBODY, RolloutError, RolloutPlan
from updater_server.channels.waiting import Waiting

__all__ = [
    "CHANNELS",
    "EVERYBODY",
    "IMAGE_LIMIT_BYTES",
    "TOP_LEVEL_ROLES",
    "Catalogue",
    "ChangedMeanwhile",
    "EntryError",
    "Hardware",
    "Image",
    "InstallGate",
    "JournalVersions",
    "Judge",
    "MissingSignatures",
    "OfflinePolicy",
    "Pace",
    "Payload",
    "PayloadError",
    "PayloadReference",
    "Policy",
    "PolicyError",
    "Product",
    "PromotionRefused",
    "Published",
    "ReleaseEntry",
    "ReleaseRefused",
    "Repository",
    "RepositoryDamaged",
    "RepositoryError",
    "RolePolicy",
    "RolloutError",
    "RolloutPlan",
    "TrialPolicy",
    "Waiting",
    "build_payloads",
    "expand",
    "key_role",
    "keys",
    "open_published",
    "policy",
]
