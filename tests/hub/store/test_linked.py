"""What documents say together when a link is in doubt: a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub.message import Consent
from hub.store.linked import seen_together

AT = datetime(2026, 11, 1, tzinfo=UTC)
PERMIT = Consent(
    id="s",
    version=1,
    permits=True,
    recorded_at=AT,
    valid_from=AT.date(),
    valid_to=None,
    senders=None,
    recipients=None,
    purposes=None,
    categories=None,
)
NEWER = replace(PERMIT, version=2)
OTHER = replace(PERMIT, id="o")


@pytest.mark.parametrize(
    ("own", "theirs", "still_permits"),
    [
        (PERMIT, OTHER, True),
        (PERMIT, NEWER, False),  # were it one person, the newer version would have taken its place
        (NEWER, PERMIT, True),
        (PERMIT, replace(PERMIT, recorded_at=AT.replace(day=2)), False),  # nobody knows which was signed
        (PERMIT, PERMIT, True),
        (PERMIT, replace(OTHER, replaces="s"), False),
        (PERMIT, replace(OTHER, replaces="s/1"), False),
        (NEWER, replace(OTHER, replaces="s/1"), True),
    ],
)
def test_an_own_permission_gives_way_to_what_would_replace_it(
    own: Consent, theirs: Consent, still_permits: bool
) -> None:
    mine, _ = seen_together([own], {"p": [theirs]})
    assert mine.only_refuses is not still_permits


def test_what_comes_over_a_doubtful_link_only_refuses_under_a_name_of_its_own() -> None:
    _, theirs = seen_together([OTHER], {"p": [replace(NEWER, replaces="s/1")]})
    assert (theirs.id, theirs.replaces, theirs.only_refuses) == ("s~p", "s~p/1", True)


def test_without_doubt_nothing_changes() -> None:
    assert seen_together([PERMIT, NEWER], {}) == (PERMIT, NEWER)
