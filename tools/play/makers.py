"""Who makes what the world sells to a number: a mobile operator and an electricity utility.

Both are simulated (`hw_sim.suppliers`), and live in this process for as long as the world is open.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from hw_sim.suppliers.airtime import Operator, Settings
from hw_sim.suppliers.faults import Faults
from hw_sim.suppliers.utility import Settings as UtilitySettings
from hw_sim.suppliers.utility import Utility
from tools.play.making import ELECTRICITY, TOP_UP, MakingFailed
from updater_server.atomic import write_atomically

OPERATOR, UTILITY = "savanna", "lake-power"
COUNTRY = "254"
Command = Callable[..., str]
"""An operator's command on the world's server; what it said."""


class Makers:
    """Both of them, listening. `folder` has the keys that they gave us."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.operator = Operator(Settings(delay_s=1.0))
        self.utility = Utility(UtilitySettings())

    def introduce(self, command: Command, server_url: str) -> None:
        """Tell the server where they are and what they make, and the operator where its call-backs
        go. MakingFailed when the server takes none of it.
        """
        told = self._set(
            command, OPERATOR, "airtime", self.operator.settings.api_key,
            f"url={self.operator.url}", f"country={COUNTRY}", f"username={Settings.username}",
        )  # fmt: skip
        path = re.search(r"(/v1/suppliers/\S+)", told)
        if path is None:
            raise MakingFailed("the server does not say where call-backs go")
        self.operator.settings.callback = server_url + path[1]
        ours = self.utility.settings
        self._set(
            command, UTILITY, "xmlvend", ours.password,
            f"url={self.utility.url}", f"username={ours.operator}", f"client={ours.client}",
        )  # fmt: skip
        command("supplier", "route", TOP_UP, "--supplier", OPERATOR)
        command("supplier", "route", ELECTRICITY, "--supplier", UTILITY)

    def _set(self, command: Command, name: str, kind: str, key: str, *settings: str) -> str:
        file = self._folder / f"{name}.key"
        write_atomically(file, key.encode(), 0o600)
        said = [part for setting in settings for part in ("--setting", setting)]
        return command("supplier", "set", name, "--kind", kind, "--key-file", str(file), *said)

    def lose_answers(self) -> None:
        """From now on they do what they are asked to, and every answer is cut on its way."""
        self._misbehave(Faults(0, {"cut_answer": 1.0}, {}, {}))

    def lie(self) -> None:
        """From now on every third message, by chance, is wrong in one way or another."""
        self._misbehave(Faults.all(0, 0.33))

    def behave(self) -> None:
        """As they should."""
        self._misbehave(Faults())

    def _misbehave(self, faults: Faults) -> None:
        self.operator.settings.faults = faults
        self.utility.settings.faults = faults

    def close(self) -> None:
        """They answer no more."""
        self.operator.close()
        self.utility.close()
