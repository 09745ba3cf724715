"""The server at the other end of the counter's messages: opens, answers as docs/formats/messages.md
says, and seals. Device code, beside `counter`.

What it says to a sale is a script; what it said once it says for ever. It keeps a ledger.
"""

# mypy: ignore-errors

import asyncio

from bootloader.shared import cbor, cose
from firmware.office import messenger
from firmware.office.messenger import NoNetwork

PIN = "1234567890123456"
TOKEN = "12345678901234567890"
REFERENCE = "REF-0001-778"


class Office:
    """`answers`, to sales, one each: "" delivered, None no answer at all, "hang", a whole number of
    seconds for pending, or the code of a refusal. `customers`: {recipient: (name, least, most)}.
    """

    def __init__(self, keys, kind_of, float_minor):
        self._keys = keys
        self._kind_of = kind_of
        self.float_minor = float_minor
        self.answers = []
        self.details = []
        self.customers = {}
        self.look_ups = 0
        self.loses_reply = False
        self._said = {}
        self.asked = []
        self.cancels = []
        self.grants = True

    async def post(self, body):
        _, head, sealed = cbor.loads(body)
        salt, counter = head[6][:4], int.from_bytes(head[6][4:], "big")
        aad = cose._aad(cose._EXTERNAL_AAD)
        request = cbor.loads(cose.unseal(self._keys.up, cose._nonce(0, salt, counter), aad, sealed))
        if request[0] == messenger.SALE:
            reply = await self._sale(request)
        elif request[0] == messenger.LOOK_UP:
            reply = self._look_up(request)
        else:
            raise NoNetwork("the counter has no such message")
        reply[0] = request[0] if 0 not in reply else reply[0]
        nonce = cose._nonce(1, salt, counter)
        sealed = cose.seal(self._keys.down, nonce, aad, cbor.dumps(reply))
        return 200, cbor.dumps([cose._PROTECTED, {}, sealed])

    async def _sale(self, request):
        sequence = request[1]
        cancels = request.pop(22, False)
        body = cbor.dumps(request)
        known = self._said.get(sequence)
        if known and known[0] != body:
            return {0: -1, 1: "conflict", 2: "another body"}
        if cancels:
            self.cancels.append(sequence)
        if cancels and self.grants and (self.answers or known):
            if known and known[1].get(6) != "cancelled":
                self.float_minor += request[3] - request[20]
            self._said[sequence] = (body, {1: 1, 6: "cancelled", 7: "cancelled"})
            self._lose()
        if self._said.get(sequence, (None, None))[1]:
            return dict(self._said[sequence][1])
        answer = self.answers.pop(0) if self.answers else None
        if answer == "hang":
            await asyncio.sleep(60)
        if answer is None or answer == "hang":
            raise NoNetwork("no answer")
        self.asked.append(request)
        debit_minor = request[3] - request[20]
        if not known:
            self.float_minor -= debit_minor
        if isinstance(answer, int):
            self._said[sequence] = (body, None)
            return {1: 2, 8: answer}
        if answer:
            self.float_minor += debit_minor
            reply = {1: 1, 6: answer, 7: "no"}
        else:
            kind = self._kind_of(request[2])
            assert (kind == "pin") == (21 not in request)
            code = PIN if kind == "pin" else TOKEN if kind == "meter" else REFERENCE
            reply = {1: 0, 2: code, 3: "SER-1", 4: 0, 5: self.float_minor}
            if self.details and kind != "pin":
                reply[9] = self.details
        self._said[sequence] = (body, reply)
        self._lose()
        return dict(reply)

    def _lose(self):
        if self.loses_reply:  # what asks again at once does not get it either
            self.loses_reply = False
            raise NoNetwork("the reply was lost")

    def _look_up(self, request):
        self.look_ups += 1
        self._lose()
        if request[2] not in self.customers:
            return {1: 1, 6: "bad_recipient", 7: "nobody"}
        name, least, most = self.customers[request[2]]
        return {1: 0, 2: name, 3: least, 4: most}
