"""The `inv setup.…` tasks: what Debian has and pip has not. Only tasks.py imports them."""

from __future__ import annotations

import os
import shutil
import subprocess

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

BROWSER = ("chromium",)


@task
def browser(context: Context) -> None:
    """Install Chromium, for the front panel's tests and pictures; where you are root on Debian."""
    apt_get = shutil.which("apt-get")
    if not apt_get or os.geteuid() != 0:
        raise Exit(f"As root on Debian or Ubuntu: apt-get install {' '.join(BROWSER)}", code=1)
    for step in (["update", "-q"], ["install", "-qy", "--no-install-recommends", *BROWSER]):
        done = subprocess.run([apt_get, *step], check=False)
        if done.returncode:
            raise Exit(code=done.returncode)
