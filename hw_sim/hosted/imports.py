"""The modules of one start of the chip: found along its own `sys.path`, as MicroPython finds them.

Nothing is shared between two starts but compiled code, which has no state.
"""

from __future__ import annotations
import __future__

import builtins
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from types import CodeType, ModuleType
from typing import Any

from hw_sim.hosted import literals
from hw_sim.hosted.files import FILE, FOLDER, Mounts

Sources = Mapping[bytes, str]
"""The text that each compiled file was made from, by the SHA-256 of the file."""
Make = Callable[[], ModuleType]

_FLAGS = __future__.annotations.compiler_flag  # as MicroPython: annotations are not looked at
_code: dict[tuple[bytes, str], CodeType] = {}


def compiled(content: bytes | memoryview, name: str, text: str | None = None) -> CodeType:
    """The code of a file of that content; its text is `text`, or the content itself."""
    optimize = 0 if text is None else 2  # images are compiled with -O2: no asserts
    key = (sha256(content).digest(), name)
    code = _code.get(key)
    if code is None:
        text = str(content, "utf-8") if text is None else text
        program = literals.marked(text, name)
        code = compile(program, name, "exec", _FLAGS, dont_inherit=True, optimize=optimize)
        _code[key] = code
    return code


class Modules:
    """`sys.modules`, and what fills it. `natives` makes what a port has in C, by name."""

    def __init__(self, mounts: Mounts, sources: Sources, natives: Mapping[str, Make]) -> None:
        self._mounts = mounts
        self._sources = sources
        self._natives = natives
        self.loaded: dict[str, Any] = {}
        self.sys: Any = self.native("sys", {"path": [".frozen"], "modules": self.loaded})
        self.builtins: dict[str, Any] = {
            **vars(builtins),
            **literals.NAMES,
            "__import__": self.import_,
            "open": mounts.open,
        }

    @property
    def path(self) -> list[str]:
        """`sys.path`. While it is empty only native modules are found, whatever is loaded."""
        path: list[str] = self.sys.path
        return path

    def new(self, name: str, file: str, package: str | None = None) -> ModuleType:
        """An empty module, not yet among the loaded ones."""
        module = ModuleType(name)
        names = vars(module)
        names["__builtins__"] = self.builtins
        names["__file__"] = file
        if package is not None:
            names["__path__"] = package
            names["__package__"] = name
        else:
            names["__package__"] = name.rpartition(".")[0]
        return module

    def native(self, name: str, contents: Mapping[str, Any]) -> ModuleType:
        """A module that has just these names."""
        module = ModuleType(name)
        vars(module).update(contents)
        return module

    def import_(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Iterable[str] | None = None,
        level: int = 0,
    ) -> Any:
        """The built-in `__import__`. Raises ImportError."""
        if level:
            parts = str((globals or {}).get("__package__", "")).split(".")
            above = parts[: len(parts) - level + 1]
            name = ".".join([*above, name] if name else above)
        module = self.loaded.get(name) if self.path else None
        if module is None:
            module = self._load(name)
        if not fromlist:
            return module if "." not in name else self.loaded[name.partition(".")[0]]
        names = vars(module)
        for wanted in fromlist:
            if wanted and wanted not in names and wanted != "*":
                self._load_from(name, wanted, module)
        return module

    def _load_from(self, name: str, wanted: str, module: Any) -> None:
        # The interpreter would look a name that is not there up among its own modules.
        try:
            self._load(f"{name}.{wanted}")
        except ImportError:
            if hasattr(module, wanted):
                return
            raise

    def _load(self, name: str) -> Any:
        if self.path and name in self.loaded:
            return self.loaded[name]
        room, _, leaf = name.rpartition(".")
        parent: Any = None
        if room:
            parent = self._load(room)
            places = [parent.__path__] if hasattr(parent, "__path__") else []
        else:
            places = list(self.path)
        module = self._find(name, leaf, places)
        if module is None:
            make = self._natives.get(name)
            if make is None:
                raise ImportError(f"no module named '{name}'")
            module = make()
            if self.path:
                self.loaded[name] = module
        if parent is not None:
            setattr(parent, leaf, module)
        return module

    def _find(self, name: str, leaf: str, places: list[str]) -> ModuleType | None:
        for place in places:
            if place == ".frozen":
                continue
            at = f"{place}/{leaf}"
            if self._mounts.kind(at) == FOLDER:
                module = self.new(name, at, at)
                self.loaded[name] = module
                self._execute(module, at + "/__init__", name)
                return module
            if self._mounts.kind(at + ".py") == FILE or self._mounts.kind(at + ".mpy") == FILE:
                module = self.new(name, at)
                self.loaded[name] = module
                self._execute(module, at, name)
                return module
        return None

    def _execute(self, module: ModuleType, at: str, name: str) -> None:
        try:
            if self._mounts.kind(at + ".py") == FILE:
                code = compiled(self._mounts.content(at + ".py"), at + ".py")
            elif self._mounts.kind(at + ".mpy") == FILE:
                content = self._mounts.content(at + ".mpy")
                text = self._sources.get(sha256(content).digest())
                if text is None:
                    raise ValueError("incompatible .mpy file")
                code = compiled(content, name, text)
            else:
                return
            self.run(code, module)
        except BaseException:
            self.loaded.pop(name, None)
            raise

    def run(self, code: CodeType, module: ModuleType) -> None:
        """Run a module's code in it."""
        exec(code, vars(module))  # noqa: S102
