"""What `bro test` answers when parts fail or cannot run."""

from __future__ import annotations

import pytest

from hub.testing import Outcome, Result, _summary

OK = Outcome("mypy", Result.OK)
FAILED = Outcome("pytest", Result.FAILED)
NO_NETWORK = Outcome("pip-audit", Result.COULD_NOT_RUN, reason="no network", mandatory=False)
NO_SERVER = Outcome("RabbitMQ", Result.COULD_NOT_RUN, reason="install it")


@pytest.mark.parametrize(
    ("outcomes", "status", "said"),
    [
        ([OK], 0, "could not run: 0"),
        ([OK, NO_NETWORK], 0, "could not run: 1 (pip-audit)"),
        ([OK, NO_SERVER], 1, "could not run: 1 (RabbitMQ)"),
        ([NO_SERVER, NO_NETWORK], 1, "could not run: 2 (RabbitMQ, pip-audit)"),
        ([OK, FAILED], 1, "could not run: 0"),
    ],
)
def test_success_means_that_all_that_must_run_ran_and_passed(
    outcomes: list[Outcome], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answered = _summary(outcomes)

    assert answered == status
    assert capsys.readouterr().out.splitlines()[-1] == said
