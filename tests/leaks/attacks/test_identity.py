"""Whose it is: attacks 36 to 38. Only the number decides, and a number is only itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum.no import fodselsnummer

from hub.parts import Parts
from tests.hub.bench import number
from tests.leaks import messages as m
from tests.leaks.attacking import accepted, agree, bare_brik, got, post_brik, post_summary, some_id, summary
from tests.leaks.conftest import Fresh
from tests.leaks.lab import Lab
from tests.leaks.messages import JSON


def _numbered(digits: str) -> str | None:
    """The nine digits with their check digits, if they have any."""
    first = fodselsnummer.calc_check_digit1(f"{digits}00")
    if first in ("-", "10", ""):
        return None
    second = fodselsnummer.calc_check_digit2(f"{digits}{first}0")
    return (
        f"{digits}{first}{second}"
        if first.isdigit() and second.isdigit() and len(first + second) == 2
        else None
    )


def _kin() -> list[str]:
    """Born on the same day as the person: twins, as far as anybody can see."""
    birth = m.PERSON["id"][:6]
    found = [made for serial in range(300, 360) if (made := _numbered(f"{birth}{serial:03d}"))]
    return [made for made in found if made != m.PERSON["id"]][:4]


def _signed_by(lab: Lab, who: str, fields: m.Fields) -> None:
    fields["person"] = {"id": who}
    accepted(lab.post("prison_health", JSON, m.as_json(fields)))


def test_the_consent_of_a_namesake_or_a_twin_is_not_the_persons(lab: Lab) -> None:
    """Attack 36: same name, same day of birth, a number that differs in its last digits, a child."""
    kin = _kin()
    assert len(kin) == 4
    for n, who in enumerate((*kin, number(7))):
        said = m.to_tsb(message_id=some_id())
        said["samtykke"]["serie"] = f"slekt-{n}"
        _signed_by(lab, who, said)
    fields = m.referral("henvisning-2")
    accepted(lab.post("prison_health", JSON, m.as_json(fields)))
    lab.settle()
    assert got(lab, "tsb") == []


@settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # one row per case # fmt: skip
@given(
    name=st.sampled_from(("Ask Prøvestad", "Kari Nordmann", "", "ASK PRØVESTAD", "Ola")), signs=st.booleans()
)
def test_a_decision_never_rests_on_a_name(first: Parts, fresh: Fresh, name: str, signs: bool) -> None:
    """Attack 36: whatever the name says, the number decides."""
    with Lab(first, *fresh()) as lab:
        lab.step("attack")
        if signs:
            agree(lab, "nav")
        fields = bare_brik(person={"id": m.PERSON["id"], **({"navn": name} if name else {})})
        accepted(post_brik(lab, fields))
        lab.settle()
        assert len(got(lab, "nav")) == signs


def test_an_answer_about_another_person_is_refused(lab: Lab) -> None:
    """Attack 36: the wrong case, the right reference."""
    agree(lab, "nav")
    accepted(post_brik(lab, bare_brik()))
    lab.settle()
    asked = next(c.what.rpartition("/")[2] for c in lab.calls if c.key == "nav" and b'"nav.sak"' in c.body)
    answer = m.nav_answer(asked)
    answer["person"] = {"id": number(3)}
    assert lab.post("nav", JSON, m.as_json(answer)).status == 422


def _other_numbers() -> dict[str, str]:
    """The same day of birth in the other series: D-number (day + 40), synthetic with month + 40."""
    day, month, rest = m.PERSON["id"][:2], m.PERSON["id"][2:4], m.PERSON["id"][4:6]
    made: dict[str, str] = {}
    for name, birth in {
        "D-number": f"{int(day) + 40:02d}{month}{rest}",
        "synthetic month + 40": f"{day}{int(month) - 40:02d}{rest}",
        "D-number, month + 40": f"{int(day) + 40:02d}{int(month) - 40:02d}{rest}",
    }.items():
        made[name] = next(n for serial in range(300, 500) if (n := _numbered(f"{birth}{serial:03d}")))
    return made


OTHER_NUMBERS = _other_numbers()


@pytest.mark.parametrize("kind", OTHER_NUMBERS)
def test_a_permission_under_another_number_permits_nothing_until_somebody_confirms_the_link(
    lab: Lab, kind: str
) -> None:
    """Attack 37: the numbers look alike, and that is no link."""
    said = m.to_tsb(message_id=some_id())
    said["person"] = {"id": OTHER_NUMBERS[kind]}
    call = lab.post("prison_health", JSON, m.as_json(said))
    assert call.status in (202, 422)
    accepted(lab.post("prison_health", JSON, m.as_json(m.referral("henvisning-2"))))
    lab.settle()
    assert got(lab, "tsb") == []


@pytest.mark.parametrize(
    "odd",
    [
        "1483903018",
        "148390301867",
        " 14839030186",
        "14839030186 ",
        "१४८३९०३०१८६",
        "14839030187",
        "148390 30186",
    ],
)
def test_a_number_has_one_spelling(lab: Lab, odd: str) -> None:
    """Attack 37: another spelling would be another person, without the first one's refusals."""
    fields = m.referral("henvisning-2")
    fields["person"] = {"id": odd}
    assert lab.post("prison_health", JSON, m.as_json(fields)).status == 422


@pytest.mark.parametrize("grade", ["fortrolig", "strengt_fortrolig"])
@pytest.mark.parametrize("order", ["before", "with", "while it waits"])
def test_about_a_person_whose_address_is_graded_nothing_goes_to_anybody(
    lab: Lab, grade: str, order: str
) -> None:
    """Attack 38: every kind of message, every recipient, every consent signed; and no later message opens
    it again by not mentioning the grade."""
    agree(lab, "nav", "housing", "school", "health", "tsb", "gp")
    graded: Any = bare_brik(person_adressegradering=grade)
    if order == "before":
        accepted(post_brik(lab, graded))
        lab.settle()
    if order != "with":
        accepted(post_brik(lab, bare_brik()))
        accepted(post_summary(lab, summary()))
        accepted(lab.post("prison_health", JSON, m.as_json(m.referral("henvisning-2"))))
        accepted(lab.post("prison", JSON, m.as_json(m.release_date())))
    if order != "before":
        accepted(post_brik(lab, graded))
    lab.settle()
    agree_again = m.to_nav(version=2, message_id=some_id())
    accepted(lab.post("prison_health", JSON, m.as_json(agree_again)))
    accepted(post_brik(lab, bare_brik()))
    lab.settle()
    assert lab.recipients.sent == []
    assert [call for call in lab.calls if call.what.startswith("GET /v1/inbox/")] == []


def test_about_the_same_person_without_a_grade_it_all_goes(lab: Lab) -> None:
    """Attack 38: or the one before would hold because nothing goes at all."""
    agree(lab, "nav", "housing", "gp")
    accepted(post_brik(lab, bare_brik()))
    accepted(post_summary(lab, summary()))
    lab.settle()
    assert [len(got(lab, key)) for key in ("nav", "housing", "gp")] == [1, 1, 1]
