"""Understands what the consent desk takes, what it makes of it, and every reason for not taking it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from consent import intake
from hub.errors import HubError
from hub.message import CONTROL_SECTORS, Category, Consent, Purpose, Record, Sector
from tests.consent.asking import as_read

Change = Callable[[Any], object]

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
GIVEN: dict[str, Any] = {
    "melding": {"id": "m", "sendt": "2026-01-01T12:00:00+00:00"},
    "samtykke": {
        "serie": "s", "versjon": 3, "beslutning": "tillat", "gyldig_fra": "2026-01-01",
        "gyldig_til": "2026-12-31", "data_fra": "2025-01-01", "data_til": "2025-12-31", "signert": True,
        "forklart": True, "form": "skriftlig", "tekstversjon": "t", "gitt_av": "pasient", "slag": "deling",
        "erstatter": "r", "sted": "fengsel", "tolk": "ingen", "sprak": "en", "under_straff": False,
    },
    "avsendere": ["prison"], "mottakere": ["gp", "310000043"], "formal": ["treatment"],
    "kategorier": ["substance_use"],
    "unntak": [
        {
            "avsendere": ["probation"], "mottakere": ["tsb"], "formal": ["housing"], "kategorier": ["work"],
            "fra": "2026-02-01", "til": "2026-03-01", "data_fra": "2025-02-01", "data_til": "2025-03-01",
            "unntak": [{"formal": ["benefits"]}],
        }
    ],
    "innhentet_av": "prison_health",
}  # one row per case # fmt: skip
SAID = as_read(
    AT,
    "substance_use",
    data_from=date(2025, 1, 1),
    data_to=date(2025, 12, 31),
    signed=True,
    explained=True,
    form="skriftlig",
    grantor="person",
    kind="sharing",
    replaces="r",
    setting="fengsel",
    interpreter="ingen",
    language="en",
    under_sentence=False,
    exceptions=(
        Consent(
            id="",
            version=0,
            permits=False,
            recorded_at=AT,
            valid_from=date(2026, 2, 1),
            valid_to=date(2026, 3, 1),
            senders=frozenset({"probation"}),
            recipients=frozenset({"tsb"}),
            purposes=frozenset({"housing"}),
            categories=frozenset({"work"}),
            data_from=date(2025, 2, 1),
            data_to=date(2025, 3, 1),
            exceptions=(Consent("", 0, True, AT, None, None, None, None, frozenset({"benefits"}), None),),
        ),
    ),
)


def given(*changes: Change) -> Any:
    document = copy.deepcopy(GIVEN)
    for change in changes:
        change(document)
    return document


def refusing(d: Any) -> None:
    """A refusal of everything, that says as little as one can."""
    for name in ("avsendere", "mottakere", "formal", "kategorier", "unntak"):
        del d[name]
    d["samtykke"] = {
        "serie": "s", "versjon": 1, "beslutning": "nekt", "slag": "deling", "signert": False,
        "forklart": False,
    }  # one row per case # fmt: skip


def told(document: Any, recorder: Sector = Sector.PRISON_HEALTH, at: datetime = AT) -> tuple[str, set[str]]:
    """The code of the refusal with its places; an empty code when it is taken."""
    try:
        intake.check(Record("samtykke.gitt", document), recorder, at)
    except HubError as refused:
        return refused.code, {f"{finding.at} {finding.rule}" for finding in refused.findings}
    return "", set()


def said(name: str, value: object) -> Change:
    return lambda d: d["samtykke"].update({name: value})


def unsaid(name: str) -> Change:
    return lambda d: d["samtykke"].pop(name)


def sent(moment: str) -> Change:
    return lambda d: d["melding"].update(sendt=moment)


def scope(name: str, *values: str) -> Change:
    return lambda d: d.update({name: list(values)})


def exception(**inside: object) -> Change:
    return lambda d: d.update(unntak=[inside])


def test_all_that_a_document_says_is_in_the_consent() -> None:
    assert intake.read(GIVEN, AT) == SAID
    assert told(GIVEN) == ("", set())


def test_what_a_document_leaves_out_is_not_in_the_consent() -> None:
    read = intake.read(given(refusing), AT)

    assert read == Consent(
        "s", 1, False, AT, None, None, None, None, None, None,
        grantor="unknown", recorder=Sector.PRISON_HEALTH, kind="sharing",
    )  # one row per case # fmt: skip
    assert told(given(refusing)) == ("", set())


READ: list[tuple[Change, str, object]] = [
    (said("slag", "program"), "kind", "programme"),
    (said("slag", "straff"), "kind", "programme"),
    (said("gitt_av", "verge"), "grantor", "guardian"),
    (said("signert", "ja"), "signed", False),
    (said("forklart", 1), "explained", False),
    (said("under_straff", True), "under_sentence", True),
    (scope("formal"), "purposes", None),
]


@pytest.mark.parametrize(("change", "name", "value"), READ)
def test_what_is_read_of_each_word(change: Change, name: str, value: object) -> None:
    assert getattr(intake.read(given(change), AT), name) == value


@pytest.mark.parametrize(
    "change", [said("beslutning", "kanskje"), said("gitt_av", "lege"), said("gyldig_fra", "x")]
)
def test_what_no_decision_could_read_is_an_error(change: Change) -> None:
    with pytest.raises((KeyError, ValueError)):
        intake.read(given(change), AT)


NOT = "consent.not-evaluable"
CHECKED: dict[str, tuple[list[Change], str, set[str]]] = {
    "a programme": ([said("slag", "program")], "consent.programme-only", set()),
    "a programme that is refused": ([refusing, said("slag", "program")], "consent.programme-only", set()),
    **{
        f"no {name}": ([scope(name), exception(formal=["benefits"])], NOT, {f"{name} said-out-loud"})
        for name in ("avsendere", "mottakere", "kategorier")
    },
    "no formal": ([scope("formal"), exception(kategorier=["work"])], NOT, {"formal said-out-loud"}),
    "no first day": ([unsaid("gyldig_fra")], NOT, {"samtykke.gyldig_fra said-out-loud"}),
    "no last day": ([unsaid("gyldig_til")], NOT, {"samtykke.gyldig_til said-out-loud"}),
    "nobody gave it": ([unsaid("gitt_av")], NOT, {"samtykke.gitt_av said-out-loud"}),
    "given later": ([sent("2026-01-01T13:00:01+00:00")], NOT, {"melding.sendt not-yet"}),
    "given by a clock that goes before": ([sent("2026-01-01T13:00:00+00:00")], "", set()),
    "refused later": ([refusing, sent("2027-01-01T12:00:00+00:00")], "", set()),
    "the end before the start": ([said("gyldig_til", "2025-12-31")], NOT, {"til not-before"}),
    "one day": ([said("gyldig_til", "2026-01-01")], "", set()),
    "data that end before they start": ([said("data_til", "2024-12-31")], NOT, {"data_til not-before"}),
    "data of one day": ([said("data_til", "2025-01-01")], "", set()),
    "data from a day on": ([unsaid("data_til")], "", set()),
    "an exception that ends before it starts": (
        [exception(fra="2026-02-01", til="2026-01-31")], NOT, {"unntak[0].til not-before"},
    ),
    "an exception about nothing": ([exception()], NOT, {"unntak[0] said-out-loud"}),
    **{
        f"an exception about {name} only": ([exception(**{name: "2025-06-01"})], "", set())
        for name in ("fra", "til", "data_fra", "data_til")
    },
    "a refusal whose exception permits, and says nothing else": (
        [refusing, exception(formal=["treatment"])], NOT,
        {
            *(
                f"unntak[0].{name} said-out-loud"
                for name in ("avsendere", "mottakere", "kategorier", "fra", "til")
            ),
            "samtykke.gitt_av said-out-loud",
        },
    ),
    "a refusal whose exception takes over what it says": (
        [said("beslutning", "nekt"), exception(formal=["treatment"])], "", set(),
    ),
    "what an exception to an exception leaves unsaid": (
        [refusing, said("gitt_av", "pasient"), exception(
            avsendere=["prison"], mottakere=["gp"], kategorier=["work"], formal=["housing"], fra="2026-01-01",
            til="2026-02-01", unntak=[{"formal": ["housing"], "unntak": [{"mottakere": ["tsb"]}]}],
        ), said("signert", True), said("forklart", True), said("form", "muntlig"), said("tekstversjon", "t")],
        "", set(),
    ),
    "in the place of itself": ([said("erstatter", "s")], NOT, {"samtykke.erstatter other"}),
    "in the place of nothing": ([unsaid("erstatter")], "", set()),
    **{
        f"an unknown word in {name}": ([scope(name, "politi")], NOT, {f"{name}[0] known-word"})
        for name in ("avsendere", "mottakere", "formal", "kategorier")
    },
    "an unknown word in an exception": (
        [exception(mottakere=["gp", "politi"])], NOT, {"unntak[0].mottakere[1] known-word"},
    ),
    "an unknown word below it": (
        [exception(formal=["housing"], unntak=[{"formal": ["x"]}])], NOT,
        {"unntak[0].unntak[0].formal[0] known-word"},
    ),
    "an unknown word in a refusal": (
        [refusing, scope("mottakere", "politi")], NOT, {"mottakere[0] known-word"},
    ),
    "everybody": ([scope("mottakere", "*"), scope("avsendere", "*")], "", set()),
    "everything": ([scope("kategorier", "*")], NOT, {"kategorier[0] known-word"}),
    "the category unknown": ([scope("kategorier", "unknown")], NOT, {"kategorier[0] known-word"}),
    "a number of eight digits": ([scope("mottakere", "31000004")], NOT, {"mottakere[0] known-word"}),
    "a number with the wrong check digit in a refusal": (
        [refusing, scope("mottakere", "310000044")], NOT, {"mottakere[0] known-word"},
    ),
    "nine letters": ([scope("mottakere", "abcdefghi")], NOT, {"mottakere[0] known-word"}),
    "nine digits of another script": ([scope("mottakere", "٣١٠٠٠٠٠٤٣")], NOT, {"mottakere[0] known-word"}),
    **{
        f"{name} is not {value}": ([said(name, value)], "consent.form-missing", {f"samtykke.{name} form"})
        for name, value in (("signert", False), ("forklart", False), ("signert", None), ("form", ""))
    },
    "no form": ([unsaid("form")], "consent.form-missing", {"samtykke.form form"}),
    "no text": ([unsaid("tekstversjon")], "consent.form-missing", {"samtykke.tekstversjon form"}),
    "no form, where the exception permits": (
        [said("beslutning", "nekt"), unsaid("form"), exception(formal=["benefits"])],
        "consent.form-missing", {"samtykke.form form"},
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("changes", "code", "places"), CHECKED.values(), ids=CHECKED.keys())
def test_every_reason_for_not_recording(changes: list[Change], code: str, places: set[str]) -> None:
    assert told(given(*changes)) == (code, places)


@pytest.mark.parametrize("category", sorted(set(Category) - {Category.UNKNOWN}))
@pytest.mark.parametrize("purpose", Purpose)
def test_every_word_of_ours_is_known(category: Category, purpose: Purpose) -> None:
    assert told(given(scope("kategorier", category), scope("formal", purpose))) == ("", set())


@pytest.mark.parametrize("sector", Sector)
def test_a_control_role_takes_nothing_about_substance_use(sector: Sector) -> None:
    refused = "consent.recorder-control" if sector in CONTROL_SECTORS else ""
    about_work = given(scope("kategorier", "work"), exception(formal=["housing"]))

    assert told(given(), sector) == (refused, set())
    assert told(about_work, sector) == ("", set())
    assert told(given(refusing), sector) == ("", set())
    back = exception(formal=["treatment"], unntak=[{"kategorier": ["substance_use"]}])
    assert told(given(scope("kategorier", "work"), back), sector) == (refused, set())
    assert told(given(said("beslutning", "nekt")), sector) == ("", set())


@pytest.mark.parametrize(
    ("change", "expected"), [(unsaid("gyldig_fra"), "a date"), (scope("formal"), "at least one purpose")]
)
def test_what_should_be_said_is_named(change: Change, expected: str) -> None:
    with pytest.raises(HubError) as refused:
        intake.check(Record("samtykke.gitt", given(change)), Sector.GP, AT)

    assert {finding.expected for finding in refused.value.findings} == {expected}


WITHDRAWN: list[tuple[dict[str, Any], Sector, str, set[str]]] = [
    ({"samtykke": {"serie": "s"}}, Sector.PRISON, "", set()),
    ({}, Sector.GP, "parse.invalid", {"samtykke.serie missing"}),
    ({"samtykke": {"serie": "s"}, "omfang": "alle_samtykker", "signert": True}, Sector.GP, "parse.invalid",
     {"samtykke.serie missing"}),
    ({"omfang": "alle_samtykker"}, Sector.GP, "consent.form-missing", {"signert form"}),
    ({"omfang": "alle_samtykker", "signert": False}, Sector.GP, "consent.form-missing", {"signert form"}),
    ({"omfang": "alle_samtykker", "signert": True}, Sector.PRISON, "", set()),
    ({"omfang": "alle_nektelser", "signert": True}, Sector.GP, "", set()),
    *(
        (
            {"omfang": "alle_nektelser", "signert": True}, sector, "consent.recorder-control",
            {"omfang recorder"},
        )
        for sector in sorted(CONTROL_SECTORS)
    ),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("document", "recorder", "code", "places"), WITHDRAWN)
def test_a_withdrawal_says_what_and_that_the_person_signed(
    document: dict[str, Any], recorder: Sector, code: str, places: set[str]
) -> None:
    found: tuple[str, set[str]] = ("", set())
    try:
        intake.check_withdrawal(Record("samtykke.trukket", document), recorder)
    except HubError as refused:
        found = refused.code, {f"{finding.at} {finding.rule}" for finding in refused.findings}

    assert found == (code, places)


def test_an_hour_is_what_clocks_may_differ() -> None:
    assert told(GIVEN, at=AT - timedelta(hours=1))[0] == ""
    assert told(GIVEN, at=AT - timedelta(hours=1, seconds=1))[0] == NOT
