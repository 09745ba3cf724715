"""The `inv setup.…` tasks: what Debian has and pip has not. Only tasks.py imports them."""

from __future__ import annotations

import os
import shutil
import subprocess

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

BROWSER = ("chromium",)
CLIENTS = ("gammu", "gammu-smsd")
ENV = ("haproxy", "etcd-server", "util-linux")


@task
def browser(context: Context) -> None:
    """Install Chromium, for the front panel's tests and pictures; where you are root on Debian."""
    _install(BROWSER)


@task
def clients(context: Context) -> None:
    """Install modem clients of others, for tests of the simulated modem; where you are root on
    Debian.
    """
    _install(CLIENTS)
    _leave_off("gammu-smsd")  # it would take the first port it finds


@task
def env(context: Context) -> None:
    """Install what `inv env` needs, and start none of it; where you are root on Debian."""
    _install(ENV)
    _leave_off("haproxy", "etcd")  # `inv env` starts its own


def _leave_off(*services: str) -> None:
    systemctl = shutil.which("systemctl")
    for service in services:
        if systemctl:
            subprocess.run([systemctl, "disable", "--now", service], check=False)


def _install(packages: tuple[str, ...]) -> None:
    apt_get = shutil.which("apt-get")
    if not apt_get or os.geteuid() != 0:
        raise Exit(f"As root on Debian or Ubuntu: apt-get install {' '.join(packages)}", code=1)
    for step in (["update", "-q"], ["install", "-qy", "--no-install-recommends", *packages]):
        done = subprocess.run([apt_get, *step], check=False)
        if done.returncode:
            raise Exit(code=done.returncode)
