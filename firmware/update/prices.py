"""The price list that is signed for, brought into place once the reader that sells from it has read
it. For `client` only.
"""

from firmware.kept.files import digest
from firmware.net.http import BadResponse, GaveWay, TooLarge
from firmware.sales import catalogue

from .errors import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootloader.shared.release import Json
    from firmware.kept.files import Kept
    from firmware.kept.store import Store

    from .record import Record
    from .server import Server
    from .taken import Taken

FILE = "catalogue.json"
_NEW = FILE + ".new"


class Prices:
    """`path`: the target that holds this terminal's list."""

    def __init__(
        self,
        server: "Server",
        files: "Store",
        kept: "Kept",
        path: str,
        record: "Record",
        log: "Callable[[str], object]",
    ) -> None:
        self._server = server
        self._files = files
        self._kept = kept
        self._path = path
        self._record = record
        self._log = log
        self.are_new = False

    async def update(self, taken: "Taken") -> bool:
        """Whether all is done; False: the list must be asked for again. `are_new` tells whether
        another list is in place now.
        """
        entry = taken.prices
        if entry is None:
            self._log(self._path + " is not listed")
            return True
        wanted = entry["hashes"].get("sha256")
        if self._record.unread_prices == wanted:
            return True
        if self._holds(FILE, wanted):
            if FILE in self._kept.refused:
                # it is what was signed that cannot be used here
                self._record.unread_prices = wanted
            return True
        try:
            if not 0 < entry["length"] <= catalogue.MAX_BYTES:
                raise catalogue.CatalogueError("catalogue: over %d bytes" % catalogue.MAX_BYTES)
            if not await self._fetch(taken, entry):
                self._log(self._path + " is not what was signed")
                return False
            catalogue.load(self._files.path(_NEW))
            self._files.accept(FILE)
        except catalogue.CatalogueError as error:
            # Signed, and of no use here: what is in use stays, and the office is told.
            self._record.unread_prices = wanted
            self._kept.refuse(FILE, str(error))
            self._log(self._path + " refused: " + str(error))
            return True
        finally:
            self._files.remove(_NEW)
        self._record.unread_prices = None
        self._log("new catalogue")
        self.are_new = True
        return True

    def _holds(self, name: str, wanted: str | None) -> bool:
        try:
            return digest(self._files.path(name)).hex() == wanted
        except OSError:
            return False

    async def _fetch(self, taken: "Taken", entry: "Json") -> bool:
        """Whether the new file holds now what was signed; it never lies in the heap."""
        name = taken.target_name(self._path, entry)
        response = None
        while not response:
            try:
                with open(self._files.path(_NEW), "wb") as file:

                    def keep(piece: bytes | memoryview) -> None:
                        try:
                            file.write(piece)
                        except OSError as error:
                            raise StorageError(str(error))

                    response = await self._server.target(name, keep, entry["length"])
            except GaveWay:
                pass  # from its beginning, once the sale has its answer
            except (BadResponse, TooLarge) as error:
                self._log(self._path + ": " + str(error))
                return False
            except OSError as error:
                raise StorageError(str(error))
        return response.status == 200 and self._holds(_NEW, entry["hashes"].get("sha256"))
