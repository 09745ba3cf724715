"""CODE128 (ISO/IEC 15417): from the data of GS k 73 to its text and its bars. Pure.

For `hw_sim.printer` only. In that command `{A`, `{B`, `{C` choose a code set, `{1` to `{4` are the
function characters, `{{` is a brace, and in set C each byte is a pair of digits (0 to 99).
"""

from __future__ import annotations

from typing import Final

# bar and space widths of values 0 to 105, then the stop pattern, from the standard's table
_DIGITS: Final = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231"
    "113222123122123221223211221132221231213212223112312131311222321122321221312212322112322211"
    "212123212321232121111323131123131321112313132113132311211313231113231311112133112331132131"
    "113123113321133121313121211331231131213113213311213131311123311321331121312113312311332111"
    "314111221411431111111224111422121124121421141122141221112214112412122114122411142112142211"
    "241211221114413111241112134111111242121142121241114212124112124211411212421112421211212141"
    "214121412121111143111341131141114113114311411113411311113141114131311141411131211412211214"
    "211232"
)
_WIDTHS: Final = [_DIGITS[n : n + 6] for n in range(0, len(_DIGITS), 6)]
_STOP: Final = "2331112"
_START: Final = {"A": 103, "B": 104, "C": 105}
_SWITCH: Final = {"A": 101, "B": 100, "C": 99}
_FUNCTION: Final = {"1": 102, "2": 97, "3": 96, "4": 100}


class BadBarcodeError(ValueError):
    """The data is no CODE128; a printer prints nothing for it."""


def decode(data: bytes) -> tuple[str, list[int]]:
    """Text and symbol values (start and check included). Raises BadBarcodeError."""
    if data[:1] != b"{" or chr(data[1] if len(data) > 1 else 0) not in _START:
        raise BadBarcodeError("CODE128 data begins with {A, {B or {C")
    code_set = chr(data[1])
    values = [_START[code_set]]
    text = ""
    index = 2
    while index < len(data):
        byte = data[index]
        index += 1
        if byte == ord("{"):
            if index >= len(data):
                raise BadBarcodeError("a lone brace ends the data")
            what = chr(data[index])
            index += 1
            if what in _SWITCH:
                if what != code_set:
                    values.append(_SWITCH[what])
                code_set = what
                continue
            if what in _FUNCTION and (code_set != "C" or what == "1"):
                # FNC4 has another place in set A
                values.append(101 if what == "4" and code_set == "A" else _FUNCTION[what])
                continue
            if what != "{" or code_set != "B":
                raise BadBarcodeError(f"{{{what} means nothing in code set {code_set}")
        if code_set == "C":
            if byte > 99:
                raise BadBarcodeError("code set C takes bytes 0 to 99")
            values.append(byte)
            text += f"{byte:02d}"
        elif code_set == "B" and 32 <= byte < 128:
            values.append(byte - 32)
            text += chr(byte)
        elif code_set == "A" and byte < 96:
            values.append(byte - 32 if byte >= 32 else byte + 64)
            text += chr(byte)
        else:
            raise BadBarcodeError(f"byte {byte} is not in code set {code_set}")
    if len(values) == 1:
        raise BadBarcodeError("no data")
    check = (values[0] + sum(n * value for n, value in enumerate(values))) % 103
    return text, [*values, check]


def bars(values: list[int]) -> str:
    """Widths of bars and spaces in modules, alternating, beginning with a bar, stop included."""
    return "".join(_WIDTHS[value] for value in values) + _STOP


def encode_set_b(text: str) -> list[int]:
    """Symbol values of plain text in set B, for drawing. Raises BadBarcodeError."""
    return decode(b"{B" + text.replace("{", "{{").encode("latin-1"))[1]
