"""One tree's channels and its update client, for `test_brakes_between`: `make FOLDER` publishes
release 2 for everybody, `take FOLDER SITE` lets a terminal look at channels that another tree made.
Prints what came of it as JSON.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from tests.update.world import World


def main() -> None:
    """Do it."""
    what, folder = sys.argv[2], Path(sys.argv[3])
    folder.mkdir(parents=True)
    world = World(folder)
    if what == "make":
        world.publish(2)
    else:
        site = Path(sys.argv[4])
        world.site.folder = site
        shutil.copy(site / "metadata" / "1.root.json", world.data / "trust" / "root.json")
        for _ in range(2):
            world.reboot()
            world.run()
    print(json.dumps([world.switched_to(), world.logged]))


if __name__ == "__main__":
    main()
