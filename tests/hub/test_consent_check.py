"""Understands that every file of a folder gets an answer, and that what is accepted means what it says.

The files of HL7, HL7 Norway, IHE and LEAP lie beside the project; where they do not, that is said.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import adapters
from consent import intake
from consent.decide import Ask, decide
from consent.evaluation import _ROW as ANY_CONSENT_ROW
from hub.consent_check import Answer, check_folder
from hub.message import Agency, Basis, Category, Consent, Item, Purpose, Sector, Verdict
from mappings.types import load_types

FIXTURES = Path(__file__).parents[3] / "shared/consent/fixtures"
EXAMPLES = Path(adapters.__file__).parent / "fhir_consent/examples"
TYPES = load_types()
AT = datetime(2026, 12, 1, 12, tzinfo=intake.OSLO)


def answers(folder: Path, at: datetime = AT, recorder: Sector = Sector.PRISON_HEALTH) -> dict[str, Answer]:
    return {answer.place: answer for answer in check_folder(folder, TYPES, recorder, at)}


def at_noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=intake.OSLO)


def asked(
    consent: Consent,
    sender: Sector,
    recipient: Sector | Agency,
    purpose: Purpose,
    category: Category,
    day: str,
) -> str:
    """What decide() says of one item, under a row that demands a consent and nothing of its form."""
    to = recipient if isinstance(recipient, Agency) else Agency("310000094", "Mottaker", recipient)
    ask = Ask(
        sender=Agency("310000086", "Avsender", sender),
        recipient=to,
        purpose=purpose,
        basis=Basis.CONSENT,
        agreement="a",
        items=(Item("x", frozenset({category}), frozenset()),),
        protected_address=False,
        data_date=None,
    )
    moment = at_noon(day)
    [item] = decide(ask, [ANY_CONSENT_ROW], [consent], at=moment, known_at=moment).items
    return "permit" if item.verdict is Verdict.PERMIT else item.reason


# The files of others: what each says, and why it is or is not taken. A tuple names places that must be told.

NO_DECISION = ("provision.type",)  # the rule is left to a policy, and the text says something else again
NO_PERSON = ("patient.identifier",)  # known only by an id of another system
FOREIGN_POLICY = ("policy[0].uri",)  # another body's policy decides what the words mean
HL7: dict[str, tuple[str, ...]] = {
    "Emergency": ("category[0].coding[0].code", *NO_DECISION, *NO_PERSON, "provision.purpose[0].code"),
    "Out": NO_DECISION,
    "basic": NO_DECISION,
    "notAuthor": NO_DECISION,
    "notOrg": ("policyRule.coding[0].code", *NO_PERSON, "provision.actor[0].reference.identifier"),
    "notThem": NO_DECISION,
    "notTime": NO_DECISION,
    "signature": (*NO_DECISION, "provision.provision[0].class", "provision.provision[0].code"),
    "smartonfhir": (*NO_DECISION, "provision.period.start", "provision.provision[0].class"),
}
IHE: dict[str, tuple[str, ...]] = {
    "advanced-normal-break-glass-restricted": (
        "provision.provision[0].type",
        "provision.securityLabel[0].code",
    ),
    "advanced-normal-focused-psy": ("provision.provision[0].type", "provision.purpose[1].code"),
    "advanced-normal-focused-restricted": ("provision.provision[0].type",),
    "advanced-normal-not-restricted": ("provision.provision[0].securityLabel[0].code",),
    "advanced-normal-restricted": ("provision.securityLabel[1].code",),
    "advanced-normal": ("provision.securityLabel[0].code",),
    "basic-ink": ("provision.purpose[1].code", "sourceReference"),
    "basic-reject": ("provision.purpose[2].code", *FOREIGN_POLICY),
    "basic-research": ("provision.purpose[0].code",),
    "basic-treat": ("provision.purpose[1].code",),
    "intermediate-authoredby": ("provision.data",),
    "intermediate-data": ("provision.data",),
    "intermediate-encounter": ("provision.data",),
    "intermediate-not-authoredby": ("provision.provision[0].data",),
    "intermediate-not-encounter": ("provision.provision[0].data",),
    "intermediate-purpose": ("provision.purpose[0].code", "provision.actor[0].reference.identifier"),
    "intermediate-timeframe": ("provision.purpose[1].code",),
}
IN_54 = "provision.provision[0].actor[0].reference.identifier"
LEAP: dict[str, tuple[str, ...]] = {
    "deny-practitioner": (IN_54,),
    "deny-restricted-clinical-code": ("provision.provision[0].code",),
    "deny-restricted-content-class-and-sec-label": ("provision.provision[0].class",),
    "deny-restricted-content-class-only": ("provision.provision[0].class",),
    "deny-restricted-content-class": ("provision.provision[0].securityLabel[0].code",),
    "deny-restricted-label": ("provision.provision[0].securityLabel[0].code",),
    "expired": (IN_54,),
    "inactive": NO_PERSON,
    "multiple-deny-labels": ("provision.provision[0].securityLabel[0].code",),
    "optin-with-pou-in-root-provision": ("provision.purpose[1].code",),
    "optin-with-scope-in-category": (IN_54,),
    "optin": (IN_54,),
    "optout": ("provision.provision[0].type",),
    "provision-array": (
        "provision.provision[1].securityLabel[0].code",
        "provision.provision[2].purpose[0].code",
    ),
    "research": NO_PERSON,
}  # every one of them lacks the scope that R4 demands, and rests on a policy of another country
REJECTED = [
    *(("hl7-r4", f"Consent-consent-example-{name}.json", places) for name, places in HL7.items()),
    *(
        ("ihe-pcf", f"Consent-ex-consent-{name}.json", (*FOREIGN_POLICY, *places))
        for name, places in IHE.items()
    ),
    *(("leap", f"consent-boris-{name}.json", ("scope", *places)) for name, places in LEAP.items()),
]


@pytest.fixture
def fixtures(absent_reference: Callable[[str, int], None]) -> Path | None:
    """Where they are, or None, and then the summary says what could not be checked."""
    if FIXTURES.is_dir():
        return FIXTURES
    absent_reference("consent fixtures of HL7, HL7 Norway, IHE and LEAP", 45)
    return None


@pytest.mark.parametrize(("folder", "name", "places"), REJECTED, ids=lambda value: str(value)[:60])
def test_what_cannot_be_told_exactly_is_rejected_at_these_places(
    fixtures: Path | None, folder: str, name: str, places: tuple[str, ...]
) -> None:
    if fixtures is None:
        return
    answer = answers(fixtures / folder)[name]

    assert answer.verdict == "rejected"
    told = {finding.at for finding in answer.findings}
    assert set(places) <= told, sorted(told)


def test_no_file_of_theirs_is_passed_over(fixtures: Path | None) -> None:
    if fixtures is None:
        return
    expected = {f"{folder}/{name}" for folder, name, _ in REJECTED}
    expected |= {f"hl7norway/Consent-HNConsentProfileExample00{n}.json" for n in (1, 2, 3, 4)}
    for folder in ("hl7-r4", "ihe-pcf", "leap", "hl7norway"):
        found = answers(fixtures / folder)
        assert set(found) == {path.name for path in (fixtures / folder).iterdir()}
        assert {f"{folder}/{name}" for name, a in found.items() if a.type == "Consent"} == {
            name for name in expected if name.startswith(f"{folder}/")
        }
        assert all(a.verdict == "other" for a in found.values() if a.type != "Consent")


def test_the_norwegian_block_refuses_everything_from_then_on(fixtures: Path | None) -> None:
    """pasient- og brukerrettighetsloven § 5-3: without a period, until it is lifted."""
    if fixtures is None:
        return
    block = answers(fixtures / "hl7norway")["Consent-HNConsentProfileExample001.json"].consent

    assert block is not None
    question = (Sector.PRISON_HEALTH, Sector.GP, Purpose.TREATMENT)
    assert asked(block, *question, Category.SOMATIC_HEALTH, "2026-12-01") == "decide.refused"
    assert asked(block, *question, Category.SUBSTANCE_USE, "2036-12-01") == "decide.refused"
    assert asked(block, Sector.PRISON, Sector.NAV_STATE, Purpose.BENEFITS, Category.WORK, "2026-12-01") == (
        "decide.refused"
    )
    assert asked(block, *question, Category.SOMATIC_HEALTH, "2022-03-28") != "decide.refused"


@pytest.mark.parametrize("number", [3, 4])
def test_the_norwegian_block_against_named_personnel_is_recorded_wider_and_says_so(
    fixtures: Path | None, number: int
) -> None:
    """docs/decisions/0011: where that person works is not known here."""
    if fixtures is None:
        return
    name = f"Consent-HNConsentProfileExample00{number}.json"
    answer = answers(fixtures / "hl7norway", at_noon("2022-03-30"))[name]

    assert answer.consent is not None
    assert (answer.verdict, answer.consent.widened, answer.consent.permits) == ("accepted", True, False)
    assert (answer.consent.senders, answer.consent.recipients) == (None, None)
    told = answer.plain()["summary"]
    assert "videre enn du sa" in told["nb"][-1]
    assert "wider than you said" in told["en"][-1]
    question = (Sector.PRISON_HEALTH, Sector.GP, Purpose.TREATMENT, Category.SOMATIC_HEALTH)
    assert asked(answer.consent, *question, "2022-03-31") == "decide.refused"
    ends = asked(answer.consent, *question, "2022-04-01") != "decide.refused"
    assert ends is (number == 4)  # it says until when


def test_the_norwegian_block_with_a_period_ends_with_it(fixtures: Path | None) -> None:
    if fixtures is None:
        return
    answer = answers(fixtures / "hl7norway", at_noon("2022-03-30"))["Consent-HNConsentProfileExample002.json"]

    assert answer.consent is not None
    assert answer.state == "in-force"
    question = (Sector.PRISON_HEALTH, Sector.GP, Purpose.TREATMENT, Category.SOMATIC_HEALTH)
    assert asked(answer.consent, *question, "2022-03-31") == "decide.refused"
    assert asked(answer.consent, *question, "2022-04-01") != "decide.refused"


# Our own, in R4, R5 and XML


def r4() -> dict[str, Any]:
    return json.loads((EXAMPLES / "samtykke_tsb.json").read_bytes())  # type: ignore[no-any-return]  # a dict


def r5(decision: str = "deny") -> dict[str, Any]:
    """Everything refused but what the R4 example permits: the only way R5 has to say a narrow permission."""
    old = r4()
    rule = {name: value for name, value in old["provision"].items() if name != "type"}
    if decision == "deny":
        old["extension"] = old["extension"][:]
    return {
        "resourceType": "Consent",
        "meta": old["meta"],
        "extension": old["extension"],
        "identifier": old["identifier"],
        "status": "active",
        "category": old["category"],
        "subject": old["patient"],
        "date": "2026-10-25",
        "grantor": old["performer"],
        "sourceAttachment": [old["sourceAttachment"]],
        "decision": decision,
        "provision": [rule],
    }


def written(tmp_path: Path, **files: Any) -> dict[str, Answer]:
    for name, content in files.items():
        path = tmp_path / name.replace("_xml", ".xml")
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return answers(tmp_path)


IN_SCOPE = (Sector.PRISON, Agency("310000078", "Elvestad", Sector.TSB), Purpose.TREATMENT)


def test_r5_permits_what_its_exception_permits_and_refuses_all_else(tmp_path: Path) -> None:
    consent = written(tmp_path, a=r5())["a"].consent

    assert consent is not None
    assert not consent.permits
    [actor] = [p for p in r4()["provision"]["actor"] if p["role"]["coding"][0]["code"] == "IRCP"]
    party = actor["reference"]["identifier"]["value"]
    to = Agency(party, "Elvestad", Sector.TSB) if party.isdigit() else Agency("3", "x", Sector(party))
    for category, day, recipient, purpose, answer in (
        (Category.SUBSTANCE_USE, "2026-12-01", to, Purpose.TREATMENT, "permit"),
        (Category.ECONOMY, "2026-12-01", to, Purpose.TREATMENT, "decide.refused"),
        (Category.SUBSTANCE_USE, "2026-12-01", to, Purpose.HOUSING, "decide.refused"),
        (Category.SUBSTANCE_USE, "2026-12-01", Sector.COURT, Purpose.TREATMENT, "decide.refused"),
        (Category.SUBSTANCE_USE, "2027-12-01", to, Purpose.TREATMENT, "decide.refused"),
    ):
        assert asked(consent, Sector.PRISON, recipient, purpose, category, day) == answer


def test_three_levels_alternate_in_r5(tmp_path: Path) -> None:
    document = r5()
    inner = {"purpose": [{"system": "urn:brobygger:purpose", "code": "treatment"}]}
    document["provision"][0]["provision"] = [
        {"securityLabel": [{"system": "urn:brobygger:category", "code": "substance_use"}]}
    ]
    told = written(tmp_path, three=document)["three"]
    assert told.consent is not None
    [exception] = told.consent.exceptions
    assert (told.consent.permits, exception.permits, exception.exceptions[0].permits) == (False, True, False)
    document["provision"][0]["provision"][0]["provision"] = [inner]

    told = written(tmp_path, four=document)["four"]

    assert told.verdict == "rejected"
    assert ("provision[0].provision[0].provision[0]", "nested") in {(f.at, f.rule) for f in told.findings}


def _with_status(status: str) -> Callable[[Any], object]:
    return lambda c: c.update(status=status)


BROKEN: dict[str, tuple[Callable[[Any], object], str]] = {
    "permit for everybody": (lambda c: c.update(decision="permit", provision=[]), "provision"),
    "no decision": (lambda c: c.pop("decision"), "decision"),
    "an unknown decision": (lambda c: c.update(decision="maybe"), "decision"),
    "a grantee": (lambda c: c.update(grantee=[{"reference": "Organization/1"}]), "grantee"),
    "a resource type": (
        lambda c: c["provision"][0].update(resourceType=[{"system": "urn:x", "code": "Consent"}]),
        "provision[0].resourceType",
    ),
    "a document type": (
        lambda c: c["provision"][0].update(documentType=[{"system": "urn:x", "code": "x"}]),
        "provision[0].documentType",
    ),
    "mixed releases": (lambda c: c.update(patient=c["subject"]), "body"),
    "another policy": (
        lambda c: c.update(regulatoryBasis=[{"coding": [{"system": "urn:x", "code": "x"}]}]),
        "regulatoryBasis[0].coding[0].code",
    ),
    "somebody else gives it": (
        lambda c: c.update(grantor=[{"reference": "Patient/other"}]), "grantor[0].reference",
    ),
    "nobody gives it": (lambda c: c.pop("grantor"), "grantor"),
    "an implicit rule": (lambda c: c.update(implicitRules="http://x"), "implicitRules"),
    "an underscore beside the status": (
        lambda c: c.update(_status={"extension": [{"url": "urn:x", "valueBoolean": True}]}), "_status",
    ),
    "a modifier": (
        lambda c: c["provision"][0].update(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]),
        "provision[0].modifierExtension",
    ),
    "a refusal that ended": (lambda c: (c.update(status="inactive"), c.pop("provision")), "decision"),
    "a refusal by mistake": (lambda c: (c.update(status="entered-in-error"), c.pop("provision")), "decision"),
    **{
        f"status {status}": (_with_status(status), "status")
        for status in ("draft", "not-done", "unknown", "nonsense")
    },
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("break_it", "at"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_r5_consent_is_rejected_at_the_place(
    tmp_path: Path, break_it: Callable[[Any], object], at: str
) -> None:
    document = r5()
    break_it(document)

    answer = written(tmp_path, a=document)["a"]

    assert answer.verdict == "rejected"
    assert at in {finding.at for finding in answer.findings}


def test_an_action_that_is_no_part_of_sharing_permits_nothing(tmp_path: Path) -> None:
    def acting(*codes: str) -> dict[str, Any]:
        document = r4()
        system = "http://terminology.hl7.org/CodeSystem/consentaction"
        document["provision"]["action"] = [{"coding": [{"system": system, "code": code}]} for code in codes]
        return document

    told = written(
        tmp_path,
        both=acting("access", "disclose"),
        more=acting("access", "correct"),
        less=acting("collect"),
    )

    assert {name: answer.verdict for name, answer in told.items()} == {
        "both": "accepted", "more": "rejected", "less": "rejected",
    }  # one row per case # fmt: skip


def test_references_are_looked_up_in_the_folder_and_only_there(tmp_path: Path) -> None:
    document = r4()
    document["patient"] = {"reference": "Patient/p"}
    number = r4()["patient"]["identifier"]
    assert written(tmp_path, a=document)["a"].verdict == "rejected"
    patient = {"resourceType": "Patient", "id": "p", "identifier": [number]}

    assert written(tmp_path, p=patient)["a"].verdict == "accepted"

    other = copy.deepcopy(patient)
    assert written(tmp_path, q=other)["a"].verdict == "rejected"  # two with one id


_LOINC, _SCOPE = "http://loinc.org", "http://terminology.hl7.org/CodeSystem/consentscope"
_BASIS = "http://hl7.no/fhir/CodeSystem/no-basis-legal-formality-or-basis"


def _concept(name: str, system: str, code: str) -> str:
    return f'<{name}><coding><system value="{system}"/><code value="{code}"/></coding></{name}>'


XML = f"""<Consent xmlns="http://hl7.org/fhir"><id value="sperring-1"/><status value="active"/>
{_concept("scope", _SCOPE, "patient-privacy")}{_concept("category", _LOINC, "59284-0")}
<patient><identifier><system value="urn:oid:2.16.578.1.12.4.1.4.1"/><value value="14839030186"/>
</identifier></patient><dateTime value="2026-02-01"/>{_concept("policyRule", _BASIS, "PBRL5-3")}
<provision><period><start value="2026-02-01"/></period></provision></Consent>""".encode()


def test_a_block_in_xml_is_read_like_one_in_json(tmp_path: Path) -> None:
    told = written(tmp_path, a_xml=XML, b_xml=XML.replace(b"PBRL5-3", b"PBRL4-1"))

    assert told["a.xml"].consent is not None
    assert (told["a.xml"].consent.permits, str(told["a.xml"].consent.valid_from)) == (False, "2026-02-01")
    assert told["b.xml"].verdict == "rejected"


DENIES = XML.replace(b"<provision>", b'<provision><type value="deny"/>')


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<type value="deny"/>', b'<type value="deny"/><type value="permit"/>'),
        (b"</provision>", b'</provision><provision><type value="deny"/></provision>'),
        (b'<status value="active"/>', b'<status value="inactive"/><status value="active"/>'),
        (b'<status value="active"/>', b'<status value="active" until="2026-03-01"/>'),
        (b"<provision>", b'<provision><x:purpose xmlns:x="urn:x" value="treatment"/>'),
        (b"</provision>", b"only to the doctor</provision>"),
        (b"</period>", b'<end value="2026-03-01"/><end value="2027-03-01"/></period>'),
    ],
)
def test_nothing_in_xml_is_lost_on_the_way(tmp_path: Path, old: bytes, new: bytes) -> None:
    assert written(tmp_path, a_xml=DENIES)["a.xml"].verdict == "accepted"

    assert old in DENIES
    assert written(tmp_path, a_xml=DENIES.replace(old, new, 1))["a.xml"].verdict == "unreadable"


def test_what_says_nothing_in_xml_does_not_matter(tmp_path: Path) -> None:
    said = b'<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">x</div></text>'
    whole = DENIES.replace(b"<status", b"<!-- c --><?p i?>" + said + b"<status", 1)

    assert written(tmp_path, a_xml=whole.replace(b"<provision>", b'<provision id="p">'))["a.xml"].verdict == (
        "accepted"
    )


def test_a_consent_inside_another_resource_gets_its_own_answer(tmp_path: Path) -> None:
    inner = XML.replace(b' xmlns="http://hl7.org/fhir"', b"")
    bundle = b'<Bundle xmlns="http://hl7.org/fhir"><entry><resource>%s</resource></entry></Bundle>' % inner
    told = written(
        tmp_path,
        b_xml=bundle,
        parameters={"resourceType": "Parameters", "parameter": [{"name": "c", "resource": r4()}]},
        nested={"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle", "entry": [
            {"resource": r4()}]}}]},
        contained={"resourceType": "Patient", "contained": [r4(), {"resourceType": "Patient", "id": "p"}]},
        misspelt={**r4(), "resourceType": "consent "},
    )  # one row per case # fmt: skip

    assert {name: answer.verdict for name, answer in told.items()} == {
        "b.xml": "other", "b.xml#resource[0]": "accepted", "parameters": "other",
        "parameters#parameter[0]": "accepted", "nested": "other", "nested#entry[0]": "other",
        "nested#entry[0].resource.entry[0]": "accepted", "contained": "other",
        "contained#contained[0]": "accepted", "misspelt": "rejected",
    }  # one row per case # fmt: skip


def test_every_file_gets_an_answer_whatever_it_holds(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    told = written(
        tmp_path,
        array=b"[1]",
        broken=b"{",
        empty=b"",
        twice=b'{"resourceType": "Consent", "resourceType": "Patient"}',
        doctype_xml=b'<!DOCTYPE a [<!ENTITY b "c">]><Consent xmlns="http://hl7.org/fhir"/>',
        other_xml=b'<Patient xmlns="http://hl7.org/fhir"><id value="a"/></Patient>',
        bare={"a": 1},
        hollow={"resourceType": "Consent"},
        odd={"resourceType": "Consent", "provision": 7, "identifier": "x", "meta": [], "status": {}},
        bundle={
            "resourceType": "Bundle",
            "entry": [{"resource": r4()}, {"resource": {"resourceType": "Patient"}}],
        },
        **{"below/deep": r4()},
    )

    assert {name: answer.verdict for name, answer in told.items()} == {
        "array": "unreadable", "broken": "unreadable", "empty": "unreadable", "twice": "unreadable",
        "doctype.xml": "unreadable", "other.xml": "other", "bare": "unreadable", "hollow": "rejected",
        "odd": "rejected", "bundle": "other", "bundle#entry[0]": "accepted", "bundle#entry[1]": "other",
        "below/deep": "accepted",
    }  # one row per case # fmt: skip


def test_no_answer_holds_a_value_of_the_file(tmp_path: Path) -> None:
    document = r4()
    document["status"] = "KANARI"
    document["provision"]["purpose"] = [{"system": "urn:KANARI", "code": "KANARI"}]
    document["patient"] = {"identifier": {"system": "urn:KANARI", "value": "KANARI"}}
    document["KANARI"] = {"KANARI": "KANARI"}

    told = written(tmp_path, a=document)["a"]

    assert told.verdict == "rejected"
    assert "KANARI" not in json.dumps(told.plain(), default=str)
