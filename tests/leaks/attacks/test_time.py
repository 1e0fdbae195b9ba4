"""When: attack 39. One clock decides, the hub's; days are days in Oslo; the last day counts to its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.leaks import messages as m
from tests.leaks.attacking import accepted, bare_brik, got, post_brik, some_id
from tests.leaks.lab import Lab
from tests.leaks.messages import JSON

OSLO = ZoneInfo("Europe/Oslo")


def _oslo(*when: int) -> datetime:
    return datetime(*when, tzinfo=OSLO).astimezone(UTC)  # type: ignore[misc,arg-type]  # year to second


MOMENTS = (
    # what the form says, from and to; when it is sent; whether it may
    ("2026-11-01", "2027-06-01", _oslo(2027, 6, 1, 23, 59, 59), True),
    ("2026-11-01", "2027-06-01", _oslo(2027, 6, 2, 0, 0, 0), False),
    ("2026-11-01", "2027-06-01", datetime(2027, 6, 1, 22, 30, tzinfo=UTC), False),  # still 1 June in UTC
    ("2026-11-01", "2026-12-31", datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), True),
    ("2026-11-01", "2026-12-31", datetime(2026, 12, 31, 23, 0, tzinfo=UTC), False),
    ("2026-12-01", "2027-06-01", datetime(2026, 11, 30, 22, 59, 59, tzinfo=UTC), False),
    ("2026-12-01", "2027-06-01", datetime(2026, 11, 30, 23, 0, tzinfo=UTC), True),  # 1 December in Oslo
    ("2027-03-28", "2027-03-28", _oslo(2027, 3, 28, 1, 59, 59), True),  # the night summer time begins
    ("2027-03-28", "2027-03-28", _oslo(2027, 3, 28, 23, 59, 59), True),
    ("2027-03-28", "2027-03-28", datetime(2027, 3, 28, 22, 0, tzinfo=UTC), False),
    ("2027-10-31", "2027-10-31", datetime(2027, 10, 31, 22, 59, tzinfo=UTC), True),  # 25 hours long
    ("2027-10-31", "2027-10-31", datetime(2027, 10, 31, 23, 0, tzinfo=UTC), False),
    ("2028-02-01", "2028-02-29", _oslo(2028, 2, 29, 12), True),  # a leap day
    ("2028-02-01", "2028-02-29", _oslo(2028, 3, 1, 0), False),
)


def _signed(lab: Lab, since: str, until: str) -> None:
    said = m.to_nav(message_id=some_id())
    said["samtykke"] |= {"gyldig_fra": since, "gyldig_til": until}
    accepted(lab.post("prison_health", JSON, m.as_json(said)))


@pytest.mark.parametrize(("since", "until", "at", "may"), MOMENTS)
@pytest.mark.parametrize("skew", [-300, 0, 300])
def test_the_hubs_own_clock_decides_whatever_others_clocks_say(
    lab: Lab, since: str, until: str, at: datetime, may: bool, skew: int
) -> None:
    """Attack 39: the sender's clock is five minutes off to either side of the moment."""
    _signed(lab, since, until)
    fields = bare_brik()
    fields["melding"]["sendt"] = (at + timedelta(seconds=skew)).astimezone(OSLO).isoformat()
    lab.clock_at = at
    accepted(post_brik(lab, fields))
    lab.settle()
    assert len(got(lab, "nav")) == may


@pytest.mark.parametrize("queued_for", [timedelta(seconds=1), timedelta(hours=3), timedelta(days=40)])
def test_the_moment_of_sending_counts_and_not_that_of_posting(lab: Lab, queued_for: timedelta) -> None:
    """Attack 39: taken in a second before midnight of the last day, handed over later."""
    _signed(lab, "2026-11-01", "2027-06-01")
    lab.clock_at = _oslo(2027, 6, 1, 23, 59, 59)
    accepted(post_brik(lab, bare_brik()))
    lab.clock_at += queued_for
    lab.settle()
    assert got(lab, "nav") == []


@pytest.mark.parametrize(
    "claimed", ["2026-11-01T00:00:00+01:00", "2040-01-01T00:00:00Z", "2026-11-20T09:00:00-12:00"]
)
def test_a_withdrawal_counts_from_when_the_hub_has_it_whatever_time_it_claims(lab: Lab, claimed: str) -> None:
    """Attack 39: a desk whose clock is years ahead takes nothing longer to be heard."""
    _signed(lab, "2026-11-01", "2027-06-01")
    accepted(post_brik(lab, bare_brik()))
    said = m.withdrawn(m.to_nav()["samtykke"]["serie"], some_id())
    accepted(lab.post("prison_health", JSON, m.as_json({**said, "tidspunkt": claimed})))
    lab.settle()
    assert got(lab, "nav") == []


def test_when_the_hubs_clock_is_set_back_no_withdrawal_is_forgotten(lab: Lab) -> None:
    """Attack 39: an hour back, to before the withdrawal was recorded."""
    _signed(lab, "2026-11-01", "2027-06-01")
    accepted(post_brik(lab, bare_brik()))
    lab.clock_at += timedelta(hours=1)
    said = m.withdrawn(m.to_nav()["samtykke"]["serie"], some_id())
    accepted(lab.post("prison_health", JSON, m.as_json(said)))
    lab.clock_at -= timedelta(hours=2)
    accepted(post_brik(lab, bare_brik()))
    lab.settle()
    assert got(lab, "nav") == []
