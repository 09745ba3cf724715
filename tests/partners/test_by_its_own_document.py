"""A program that was not written here asks everything that the OpenAPI document describes, rightly
and wrongly: no answer may be one that the document does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings

from tests.parties.trade import Trade
from tests.partners.program import token_of
from updater_server.faces.front import Front

if TYPE_CHECKING:
    import schemathesis

EXAMPLES = 10
"""Of each operation, as often right as wrong."""


def test_every_answer_is_one_that_the_document_describes(trade: Trade, front: Front) -> None:
    # Imported here: it takes two seconds of each process that only collects this file.
    import schemathesis
    from schemathesis.core.result import Ok
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

    # The header goes with each request here. And what the document allows may still not be done:
    # there is no such party, the books are kept in another currency, and 5.0 is no amount of money,
    # though JSON Schema takes it for a whole number.
    not_asked = [ignored_auth, positive_data_acceptance]
    trade.device.sale(1)
    header = {"authorization": f"Bearer {token_of(trade, 'ours', '', may_move=True)}"}
    schema = schemathesis.openapi.from_asgi("/api/openapi/openapi.json", front)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == 9
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            cases = operation.as_strategy(generation_mode=mode)

            @given(case=cases)
            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def holds(case: schemathesis.Case[Any]) -> None:
                case.call_and_validate(headers=header, excluded_checks=not_asked)

            holds()
    assert trade.shop.problems() == []
