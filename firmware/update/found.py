"""What an answer brought that is new in the metadata, until it is taken in. For `client` only; made
by `news`, which takes more heap and goes before this is looked at.
"""

from bootloader.shared.compat import const

from .errors import Interrupted, Missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.kept.store import Store

    from .server import Server

NEWS = "news"
_DAY_S = const(86400)


class Found:
    """`timestamp`: the new one's bytes, or None if there is none or it came with all else in one
    answer; `told`: its tag, as the server said it. `places`: where in the file of the news each
    file is.
    """

    def __init__(self, server: "Server", store: "Store") -> None:
        self._server = server
        self._store = store
        self.places: dict[str, tuple[int, int]] = {}
        self.timestamp: bytes | None = None
        self.told = ""

    @property
    def is_any(self) -> bool:
        """Whether anything is new."""
        return bool(self.places or self.timestamp)

    def mistrust(self, error: Exception) -> None:
        """What came was refused: file by file it shows whose fault that is. Raises Interrupted if
        it came in one answer.
        """
        if self.places:
            self._store.remove(NEWS)
            raise Interrupted("news: " + str(error))

    def end(self) -> None:
        """All is taken in."""
        if self.places:
            self._store.remove(NEWS)
            self._server.no_news_s = -_DAY_S

    async def fetch(self, name: str, limit_bytes: int) -> bytes:
        """As `Server.metadata`, out of the news where that has it. There is no newer root, or there
        would be no news.
        """
        name_only = name if name in self.places else name.split(".", 1)[1]
        if name_only == "root.json" and self.places:
            raise Missing(name)
        if name_only not in self.places:
            return await self._server.metadata(name, limit_bytes)
        offset, length = self.places[name_only]
        with open(self._store.path(NEWS), "rb") as file:
            file.seek(offset)
            data: bytes = file.read(min(length, limit_bytes + 1))
            return data
