"""The release manager's command line: images and channels. `python -m tools release --help`.

`build` an image, `sign` it for a channel, `publish`; let it out further with `promote` and `rollout
set`; `halt` it; `show` and `verify` what is in force. `commit` and `onwards` do it without a
person. Here every command has its name, and nothing else; docs/release-manager.md is the manual.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from tools.release import (
    adding,
    building,
    committing,
    flags,
    onwards,
    publishing,
    quoting,
    rollout,
    showing,
    signing,
)
from tools.release.options import grouped

app = typer.Typer(no_args_is_help=True, help="Images and signed channels.")
flag_app = typer.Typer(no_args_is_help=True, help="Features that ship off: on, and off again.")
rollout_app = typer.Typer(no_args_is_help=True, help="How far a release is let out.")

_COMMANDS: dict[str, Callable[..., None]] = {
    "build": building.build,
    "commit": committing.commit,
    "onwards": onwards.onwards,
    "sign": signing.sign,
    "withdraw": signing.withdraw,
    "publish": publishing.publish,
    "show": showing.show,
    "verify": showing.verify,
    "quote": quoting.quote,
    "promote": adding.promote,
    "unlist": adding.unlist,
    "halt": rollout.halt,
    "brake": rollout.brake,
    "resume": rollout.resume,
    "rollback-to": rollout.rollback_to,
    "restored": signing.restored,
    "audit": showing.audit,
}
for _name, _command in _COMMANDS.items():
    app.command(_name)(grouped(_command))
rollout_app.command("set")(grouped(rollout.set_rollout))
app.add_typer(rollout_app, name="rollout")
for _name, _command in (("on", flags.on), ("off", flags.off), ("list", flags.list_flags)):
    flag_app.command(_name)(grouped(_command))
app.add_typer(flag_app, name="flag")
