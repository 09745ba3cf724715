"""Sign anew, before it runs out, what the server's own keys sign: so that no channel stops because
nobody looked. Run by `serving`, once at the start and then every hour.

The keys are in the data folder, `online-keys/`: `timestamp-1.pem` and `snapshot-1.pem` (encrypted;
the passphrase comes from `DUKA_ONLINE_PASSPHRASE`, or where they differ from
`DUKA_ONLINE_PASSPHRASE_TIMESTAMP_1` and so on) or `.uri` files of a key store, and `rollout-1` if
plans are to be renewed as well, `brake-1` if a halt is to need nobody. They can hold back releases,
never make one.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from sqlalchemy import Connection

from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.fleet import alarms
from updater_server.service import Service
from updater_server.store.engine import writing

EVERY_S = 3600
WATCH_EVERY_S = 60
_DAY_S = 86400
SOON_DAYS = {"root": 180, "targets": 90, "timestamp": 10}
"""So long before it runs out each role is told of first; people must meet for the root. Others:"""
SOON_OTHERS_DAYS = 60
EXPIRY_CODES = ("expired", "expiry_near", "expiry_soon")
"""From the worst on."""
_NEAR_SHARE = 4  # the last quarter of the warning time is near
PASSPHRASE = "DUKA_ONLINE_PASSPHRASE"  # noqa: S105 the variable's name
log = logging.getLogger(__name__)


def expiries(published: channels.Published, now_s: int) -> list[tuple[str, str]]:
    """(Code, text) of each role that runs out before long; the text stays the same until it gets
    worse.
    """
    found = []
    for role in published.metadata:
        expires_s = published.expires(role)
        soon_days = SOON_DAYS.get(role, SOON_OTHERS_DAYS)
        near_days = soon_days // _NEAR_SHARE
        left_s = expires_s - now_s
        if left_s > soon_days * _DAY_S:
            continue
        day = datetime.fromtimestamp(expires_s, UTC).strftime("%Y-%m-%d")
        is_near = left_s <= near_days * _DAY_S
        if left_s <= 0:
            text = f"the channels' {role} ran out on {day}"
        else:
            text = (
                f"the channels' {role} runs out in {near_days if is_near else soon_days} days or "
                f"less, on {day}"
            )
        code = EXPIRY_CODES[0 if left_s <= 0 else 1 if is_near else 2]
        found.append((code, f"{text}: {_meaning(role)}"))
    return found


def _meaning(role: str) -> str:
    if role in ("timestamp", "snapshot"):
        return "then no terminal installs anything: publish, or give the server its keys"
    remedy = f"`release sign {role} --anew`, publish"
    if role in ("root", "targets"):
        return f"then no terminal installs anything: {remedy}"
    if role == channels.policy.CATALOGUE_ROLE:
        return f"then terminals install nothing: {remedy}"
    channel = channels.policy.channel_of(role)
    return f"then no terminal of {channel} installs anything: {remedy}"


def renew(service: Service) -> list[str]:
    """Renew what has passed half of its time; the roles signed.

    Never raises: what is wrong with keys, channels or the clock is an alarm, once for as long as it
    is open, and so is what runs out before long, once for each grade. Both close by themselves.
    """
    folder = service.folder
    if not (folder.repository / "metadata" / "timestamp.json").exists():
        return []
    now = datetime.fromtimestamp(service.now(), UTC)
    problems: list[str] = []
    signed: list[str] = []
    is_whole = False
    running_out: list[tuple[str, str]] = []
    try:
        repository = channels.Repository.open(folder.repository, strict=False)
        problems += repository.published.damaged.values()
        if folder.online_keys.is_dir():
            passphrases = key_files.from_environment(PASSPHRASE)
            signers, closed = key_files.load_what_opens(folder.online_keys, passphrases)
            why = f"the channels cannot be renewed with a key (see {PASSPHRASE})"
            problems += [f"{why}: {text}" for text in closed]
            signed = repository.renew(signers, now)
        running_out = expiries(repository.published, service.now())
        is_whole = not repository.published.damaged
    except (channels.RepositoryError, OSError) as error:
        problems.append(f"the channels cannot be renewed: {error}")
    problem = "; ".join(problems)
    for role in signed:
        log.info("signed anew: %s", role)
    for text in filter(None, [problem, *(text for _, text in running_out)]):
        log.warning("%s", text)
    with writing(service.engine) as connection:
        _tell(connection, "channels", problem, service.now())
        for code, text in running_out:
            alarms.raise_once(connection, code, text, service.now())
        if is_whole:
            still = {text for _, text in running_out}
            alarms.settle(connection, EXPIRY_CODES, still, service.now())
    return signed


def watch(service: Service) -> str:
    """Look whether what is published can be read, and raise or close an alarm; what is wrong."""
    trouble = service.prices.trouble()
    with writing(service.engine) as connection:
        _tell(connection, "channels_spoiled", trouble, service.now())
    return trouble


def _tell(connection: Connection, code: str, problem: str, now_s: int) -> None:
    """One open alarm of `code` while there is a problem, none when there is none."""
    if not problem:
        alarms.settle(connection, (code,), set(), now_s)
    elif not alarms.is_open(connection, code):
        alarms.raise_alarm(connection, None, code, problem, now_s)


async def keep_renewing(service: Service) -> None:
    """`renew` now and every hour, `watch` every minute, until cancelled."""
    trouble: str | None = None
    while True:
        try:
            await asyncio.to_thread(renew, service)
        except Exception:  # the server sells on; the next hour tries again
            log.exception("renewal of the channels")
        for _ in range(EVERY_S // WATCH_EVERY_S):
            found = await asyncio.to_thread(service.prices.trouble)
            if found != trouble:
                try:
                    trouble = await asyncio.to_thread(watch, service)
                except Exception:  # as above; the next minute tries again
                    log.exception("watching the channels")
            await asyncio.sleep(WATCH_EVERY_S)
