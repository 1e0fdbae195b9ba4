"""Understands the API by its own description: whatever is asked, the answer is one that it describes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.message import Agency
from tests.hub import fakes

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = 8
"""As many as `openapi.json` had when this was written, or more: a description that lost its operations
would otherwise pass."""


def test_every_answer_is_one_that_the_description_names(
    url: str, bearer: Callable[[Agency], dict[str, str]]
) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    headers = bearer(fakes.PRISON)
    operations = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)  # a part of the description that cannot be understood
        operations.append(found.ok())
    for operation in operations:
        modes = GenerationMode if list(operation.query) else (GenerationMode.POSITIVE,)  # what can be wrong
        for mode in modes:

            @settings(
                max_examples=25,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def attempt(case: schemathesis.Case[Any]) -> None:
                answer = case.call(base_url=url, headers=headers)
                case.validate_response(answer, checks=CHECKS)

            attempt()
    assert len(operations) >= OPERATIONS
