"""Sign anew, before it runs out, what the server's own keys sign: so that no channel stops because
nobody looked. Run by `serving`, once at the start and then every hour.

The keys are in the data folder, `online-keys/`: `timestamp-1.pem` and `snapshot-1.pem` (encrypted;
the passphrase comes from `DUKA_ONLINE_PASSPHRASE`, or where they differ from
`DUKA_ONLINE_PASSPHRASE_TIMESTAMP_1` and so on) or `.uri` files of a key store, and `rollout-1` if
plans are to be renewed as well. They can hold back releases, never make one.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.database import writing
from updater_server.fleet import alarms
from updater_server.service import Service

EVERY_S = 3600
WARN_S = 7 * 86400
"""A timestamp that will not live so long raises an alarm."""
PASSPHRASE = "DUKA_ONLINE_PASSPHRASE"  # noqa: S105 the variable's name
log = logging.getLogger(__name__)


def renew(service: Service) -> list[str]:
    """Renew what has passed half of its time; the roles signed.

    Never raises: what is wrong with keys or channels is an alarm, once for as long as it is open.
    """
    folder = service.folder
    if not (folder.repository / "metadata" / "timestamp.json").exists():
        return []
    now = datetime.fromtimestamp(service.now(), UTC)
    problem = ""
    signed: list[str] = []
    try:
        repository = channels.Repository.open(folder.repository)
        if folder.online_keys.is_dir():
            signers = key_files.load_all(folder.online_keys, key_files.from_environment(PASSPHRASE))
            signed = repository.renew(signers, now)
        left_s = repository.expires("timestamp") - service.now()
        if left_s < WARN_S:
            problem = (
                f"the channels' timestamp runs out in {max(left_s, 0) // 3600} h, then no terminal "
                f"installs anything: publish, or give the server its keys ({folder.online_keys})"
            )
    except (channels.RepositoryError, key_files.KeyFileError, OSError) as error:
        problem = f"the channels cannot be renewed: {error}"
    for role in signed:
        log.info("signed anew: %s", role)
    if problem:
        log.warning("%s", problem)
        code = "channels"
        with writing(service.engine) as connection:
            if not any(a["code"] == code for a in alarms.open_alarms(connection)):
                alarms.raise_alarm(connection, None, code, problem, service.now())
    return signed


async def keep_renewing(service: Service) -> None:
    """`renew` now and every hour, until cancelled."""
    while True:
        try:
            await asyncio.to_thread(renew, service)
        except Exception:  # the server sells on; the next hour tries again
            log.exception("renewal of the channels")
        await asyncio.sleep(EVERY_S)
