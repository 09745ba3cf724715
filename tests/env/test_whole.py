"""The whole picture comes up, sells, and goes, by the parts that operators run."""

from __future__ import annotations

import pytest

from tests.env.check import check
from tests.env.parts import NotHere, program
from tests.env.whole import UP_S


def _missing() -> str:
    for name in ("haproxy", "etcd", "setpriv"):
        try:
            program(name)
        except NotHere as error:
            return str(error)
    return ""


@pytest.mark.slow
@pytest.mark.skipif(bool(_missing()), reason=_missing() or "all is here")
def test_the_whole_sells_a_hundred_vouchers_and_goes_without_a_trace() -> None:
    said: list[str] = []
    code = check(said.append, up_in_s=4 * UP_S)  # others work on this machine as well
    assert code == 0, "\n".join(said)
