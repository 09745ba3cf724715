"""The words of the simulated utility: XMLVend 2.1 read and written. For `utility`.

Written from the standard and not from anybody's client; its own parser is the standard library's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
BASE = "http://www.nrs.eskom.co.za/xmlvend/base/2.1/schema"
REVENUE = "http://www.nrs.eskom.co.za/xmlvend/revenue/2.1/schema"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
HEAD = "receipt,time,number,meter,value,state,tokens,keys,units"
_TARIFF = "Domestic lifeline & block 2"


@dataclass(frozen=True)
class Asked:
    """One message."""

    kind: str
    client: str
    terminal: str
    login: tuple[str, str]
    time: str
    number: str
    meter: str
    value: str
    """As "KES 10.00"; empty where no money is asked for."""
    about: str
    """Of an advice: the name of the message that it is about."""

    @property
    def name(self) -> str:
        """What the message is called at this utility: by who sent it, when, and its number."""
        return f"{self.client}/{self.time}/{self.number}"


@dataclass
class Sold:
    """One vend in the utility's books, with its tokens: made of the message, once."""

    receipt: str
    asked: Asked
    at: int
    state: str = "V"
    tokens: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Draw the tokens; what kind of customer it is follows from the meter."""
        count = 1 + self._kind % 3 // 2
        self.tokens = [self._token(f"credit {n}") for n in range(count)]
        self.tokens += [self._token("free")] * self.has_free_units
        self.keys = [self._token(f"key {n}") for n in range(2)] if self.needs_keys else []

    def _token(self, what: str) -> str:
        digest = hashlib.sha256(f"{self.receipt}/{self.asked.meter}/{what}".encode()).digest()
        return f"{int.from_bytes(digest[:9], 'big') % 10**20:020d}"

    @property
    def _kind(self) -> int:
        return int(self.asked.meter[-4:-1])

    @property
    def meter(self) -> str:
        """Whose it is."""
        return self.asked.meter

    @property
    def value(self) -> str:
        """As the other suppliers write it: "KES 10", or "KES 10.50"."""
        currency, _, amount = self.asked.value.partition(" ")
        whole, _, rest = amount.partition(".")
        return f"{currency} {whole}.{rest}" if rest.strip("0") else f"{currency} {whole}"

    @property
    def needs_keys(self) -> bool:
        """Whether the meter must be told new keys first."""
        return self._kind % 5 == 0

    @property
    def has_free_units(self) -> bool:
        """Whether the customer has a right to some."""
        return self._kind % 4 == 0

    @property
    def owes(self) -> bool:
        """Whether a part of the money goes to an old debt."""
        return self._kind % 7 == 0

    @property
    def units(self) -> str:
        """Of each credit token, kWh."""
        return f"{float(self.asked.value.split()[1]) / 20 / self._credits:.1f}"

    @property
    def _credits(self) -> int:
        return len(self.tokens) - self.has_free_units

    def transactions(self) -> str:
        """What the receipt lists."""
        symbol, _, amount = self.asked.value.partition(" ")
        out = ""
        for n, token in enumerate(self.tokens):
            is_free = n >= self._credits
            issue = "b:FBETokenIssue" if is_free else "b:SaleCredTokenIssue"
            units = "5.0" if is_free else self.units
            tax = "" if is_free else f'<tax value="0.50" symbol="{symbol}"/>'
            keys = self._keys() if n == 0 else ""
            price = "0" if is_free else amount
            out += (
                f'<tx xsi:type="r:CreditVendTx" receiptNo="{self.receipt}-{n}">'
                f'<amt value="{price}" symbol="{symbol}"/>'
                f'<creditTokenIssue xsi:type="{issue}"><b:desc>Credit</b:desc>'
                f'<b:meterDetail msno="{self.meter}" sgc="990458" krn="2" ti="01"/>'
                f'<b:token xsi:type="b:STS1Token"><b:stsCipher>{token}</b:stsCipher></b:token>'
                f'<b:units value="{units}" siUnit="kWh"/></creditTokenIssue>'
                f"{keys}<tariff><b:name>{escape(_TARIFF)}</b:name></tariff>{tax}</tx>"
            )
        if self.owes:
            out += f'<tx xsi:type="r:DebtRecoveryTx"><amt value="1.25" symbol="{symbol}"/></tx>'
            out += f'<tx xsi:type="r:ServiceChrgTx"><amt value="0.75" symbol="{symbol}"/></tx>'
        return out

    def _keys(self) -> str:
        if not self.keys:
            return ""
        named = zip(("set1stMeterKey", "set2ndMeterKey"), self.keys, strict=True)
        inner = "".join(
            f"<b:{name}><b:stsCipher>{key}</b:stsCipher></b:{name}>" for name, key in named
        )
        return f'<kcTokenIssue><b:token xsi:type="b:KCToken">{inner}</b:token></kcTokenIssue>'


def customer(meter: str) -> str:
    """Whose a meter is."""
    return f"M. O'Neill & Sons {meter[-4:]}"


def read(body: bytes) -> Asked:
    """A message.

    Raises:
        xml.etree.ElementTree.ParseError, KeyError, ValueError: it is none.
    """
    envelope = ElementTree.fromstring(body)  # noqa: S314 of whom the simulation is for
    (message,) = envelope.find(f"{{{SOAP}}}Body") or []
    kind = message.tag.rpartition("}")[2]
    if kind == "adviceReq":
        kind = message.attrib[f"{{{_XSI}}}type"].rpartition(":")[2]

    def one(name: str) -> dict[str, str]:
        found = next((e for e in message.iter() if e.tag.rpartition("}")[2] == name), None)
        return {} if found is None else {**found.attrib, "": found.text or ""}

    money, about, named = one("amt"), one("adviceReqMsgID"), one("msgID")
    client = one("clientID")["ean"]
    advised = f"{client}/{about['dateTime']}/{about['uniqueNumber']}" if about else ""
    return Asked(
        kind, client, one("terminalID")["id"], (one("opName")[""], one("password")[""]),
        named["dateTime"], named["uniqueNumber"], one("meterIdentifier").get("msno", ""),
        f"{money['symbol']} {money['value']}" if money else "", advised,
    )  # fmt: skip


def envelope(inside: bytes) -> bytes:
    """An answer, ready to be sent."""
    head = f'xmlns:s="{SOAP}" xmlns:b="{BASE}" xmlns:r="{REVENUE}" xmlns="{REVENUE}"'
    start = f'<?xml version="1.0"?><s:Envelope {head} xmlns:xsi="{_XSI}"><s:Body>'
    return start.encode() + inside + b"</s:Body></s:Envelope>"


def inner(whole: bytes) -> bytes:
    """What an envelope has in it, as it is repeated by an advice."""
    inside = whole.partition(b"<s:Body>")[2].rpartition(b"</s:Body>")[0]
    return inside.partition(b"<detail>")[2].rpartition(b"</detail>")[0] or inside


def _answered(name: str, asked: Asked, more: str, attributes: str = "") -> str:
    named = f'<b:reqMsgID dateTime="{asked.time}" uniqueNumber="{asked.number}"/>'
    return (
        f'<{name}{attributes}><b:clientID xsi:type="b:EANDeviceID" ean="{asked.client}"/>'
        f'<b:serverID xsi:type="b:EANDeviceID" ean="6009999999999"/>{named}'
        f"<b:dispHeader>A utility</b:dispHeader>{more}</{name}>"
    )


def fault(asked: Asked, kind: str, words: str) -> bytes:
    """That it cannot be, and why."""
    about = f'<b:fault xsi:type="b:{kind}"><b:desc>{escape(words)}</b:desc></b:fault>'
    told = _answered("b:xmlvendFaultResp", asked, about)
    head = "<faultcode>s:Server</faultcode><faultstring>fault</faultstring>"
    return envelope(f"<s:Fault>{head}<detail>{told}</detail></s:Fault>".encode())


def confirmed(asked: Asked, meter: str, least_minor: int, most_minor: int) -> bytes:
    """Who has a meter."""
    more = (
        f"<confirmCustResult><b:custVendDetail name={quoteattr(customer(meter))} "
        f'accNo="1" locRef="2"/><b:meterDetail msno="{meter}">'
        f'<b:maxVendAmt value="{most_minor / 100:.2f}" symbol="KES"/>'
        f'<b:minVendAmt value="{least_minor / 100:.2f}" symbol="KES"/></b:meterDetail>'
        "</confirmCustResult>"
    )
    return envelope(_answered("r:confirmCustomerResp", asked, more).encode())


def sold(one: Sold) -> bytes:
    """What the customer gets."""
    symbol, _, amount = one.asked.value.partition(" ")
    more = (
        f"<custVendDetail name={quoteattr(customer(one.meter))}/>"
        f'<creditVendReceipt receiptNo="{one.receipt}"><transactions>{one.transactions()}'
        f"</transactions></creditVendReceipt>"
        f'<tenderAmt value="{amount}" symbol="{symbol}"/>'
    )
    return envelope(_answered("r:creditVendResp", one.asked, more).encode())


def last_response(asked: Asked, known: bytes) -> bytes:
    """The answer that was given before, again."""
    kind = b"b:XMLVendFaultResp" if b"xmlvendFaultResp" in known else b"r:CreditVendResp"
    inside = known.partition(b">")[2].rpartition(b"</")[0]
    repeated = b'<b:lastResponse xsi:type="' + kind + b'">' + inside + b"</b:lastResponse>"
    more = _about(asked) + repeated.decode()
    kind_of_it = ' xsi:type="b:LastRespAdviceResp"'
    return envelope(_answered("b:adviceResp", asked, more, kind_of_it).encode())


def reversed_(asked: Asked, done: bool) -> bytes:
    """Whether it was taken back."""
    kind = f' xsi:type="b:ReversalAdviceResp" txReversed="{str(done).lower()}"'
    return envelope(_answered("b:adviceResp", asked, _about(asked), kind).encode())


def _about(asked: Asked) -> str:
    _, when, number = asked.about.split("/")
    return f'<b:adviceReqMsgID dateTime="{when}" uniqueNumber="{number}"/>'


def line(one: Sold) -> str:
    """One vend as the utility's list of a day has it."""
    total = f"{float(one.units) * (len(one.tokens) - one.has_free_units):.1f}"
    return ",".join(
        [
            one.receipt, one.asked.time, one.asked.number, one.meter, one.value, one.state,
            " ".join(one.tokens), " ".join(one.keys), total,
        ]
    )  # fmt: skip
