# Frozen into an RP2 board's interpreter: make FROZEN_MANIFEST=<this file> (docs/boards.md).
# The port's own `_boot` would format our flash, so of its modules only `rp2` comes along.
freeze("$(PORT_DIR)/modules", "rp2.py")  # noqa: F821
include("$(MPY_DIR)/extmod/asyncio")  # noqa: F821
freeze(".", ("_boot.py", "main.py", "norflash.py"), opt=2)  # noqa: F821
freeze("..", "names.py", opt=2)  # noqa: F821
# Machine code: `inv machine-code` writes it.
freeze("../../../build/interpreter", ("patch_1/model.py", "patch_1/patch.py"), opt=2)  # noqa: F821
