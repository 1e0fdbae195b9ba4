"""Understands the story: one person about to leave prison, and who may know what about it.

Nine chapters. Each acts through the agencies' own doors and then states facts, read from the
recipients' side; `play` returns them all, and a demo is good when every one of them holds. Tests play
the same story on SQLite with the embedded queue and on PostgreSQL with RabbitMQ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from hub import gps, holds, identity
from hub.answers import Word
from hub.audit import log
from hub.audit.verify import verify
from hub.demo.agencies import Got
from hub.demo.world import NAMES, ORGS, PERSON, World
from hub.held import Reader
from hub.message import Outcome
from hub.store.disclosures import Disclosure, where
from hub.store.schema import disclosure

BODIES = Path(__file__).parent / "bodies"
JSON, FHIR, XML = "application/json", "application/fhir+json", "application/xml"

SAYS_SUBSTANCE_USE = re.compile(r"\brus|audit|dudit|alkohol|f11\.2|subutex|n07bc|avhengig|\blar\b")
"""All of these stand in what was posted; none may stand where no consent covers it."""

AN_ID = re.compile(r"\b[a-z2-7]{26}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
"""Ids are random letters, in which any short word may stand by chance."""

MARKS_OF_A_GAP = ("null", '""', "{}", "[]", "redact", "mask", "withheld", "samtykke", "consent")
"""How a message could give away that something was taken out of it."""


@dataclass(frozen=True)
class Fact:
    """One thing the story claims, and whether it is so."""

    chapter: int
    sentence: str
    holds: bool


Say = Callable[[str, bool], None]


def play(world: World, tell: Callable[[Fact], None] = lambda fact: None) -> list[Fact]:
    """Play all chapters; every fact is told as it becomes known."""
    facts: list[Fact] = []
    for number, chapter in enumerate(CHAPTERS, start=1):

        def say(sentence: str, holds: bool, number: int = number) -> None:
            facts.append(Fact(number, sentence, holds))
            tell(facts[-1])

        chapter(world, say)
    return facts


def body(name: str) -> bytes:
    """One of the prepared messages."""
    return (BODIES / name).read_bytes()


def mapping(world: World, say: Say) -> None:
    """1. The ordinary sharing form is signed, and the prison posts a BRIK."""
    for form in ("samtykke-nav.json", "samtykke-bolig.json"):
        world.agencies["prison_health"].post(JSON, body(form))
    posted = world.agencies["prison"].post(XML, body("brik.xml"))
    again = world.agencies["prison"].post(XML, body("brik.xml"))
    say("the same BRIK sent twice is one message", again["duplicate"] and again["id"] == posted["id"])
    world.settle()
    nav = only(world, "nav", "nav.sak")
    say("NAV gets arbeid and økonomi", {"arbeid", "okonomi"} <= set(nav))
    say("NAV gets no other life area", not set(nav) & {"bolig", "helse", "rus", "utdanning", "familie"})
    housing = only(world, "housing", "bolig.foresporsel")
    say("the housing office gets the need", housing.get("boligbehov") == "stort")
    say("and the date", housing.get("loslatelse", {}).get("planlagt_dato") == "2027-03-01")
    say("not the remark that mentions rus", "merknad" not in housing)
    health = only(world, "prison_health", "helse.kontakt")
    say("the prison health service learns: wants contact", health.get("onsker_kontakt") is True)
    for key in ("nav", "housing", "prison_health"):
        say(f"nothing at {NAMES[key]} tells of substance use", not tells_of_substance_use(world, key))
        say("nor that something is missing", not tells_of_a_gap(world, key))
    for key in ("school", "tsb", "gp"):
        say(f"{NAMES[key]} gets nothing", not world.agencies[key].got)
    held = disclosures(world, "housing", Outcome.HELD)
    say("the remark is held for a person", [item.code for item in held] == ["decide.free-text-hit"])


def returned(world: World, say: Say) -> None:
    """2. A reader at the desk opens the remark, finds that it tells of rus, and sends it back."""
    [remark] = disclosures(world, "housing", Outcome.HELD)
    shown = holds.read(world.parts, remark.id, reader(world, "kari"))
    hits = [piece.text for leaf in shown.leaves for piece in leaf.heard if piece.term]
    say("the reader sees the remark, and the word that was found in it", hits == ["rusmiljøet"])
    reason = "kan skrives uten ordet om rus"
    holds.answer(world.parts, remark.id, reader(world, "kari"), Word.RETURN, reason=reason)
    world.settle()
    told = recipients(world, XML, "brik.xml")[NAMES["housing"]]
    say("the prison is told which field to write anew", told["returned"]["fields"] == ["bolig.merknad"])
    say("and sees no more than before", (told["state"], told["code"]) == ("delivered", None))


def consent_for_tsb(world: World, say: Say) -> None:
    """3. A signed consent naming TSB arrives as a FHIR Consent."""
    before = {key: len(world.agencies[key].got) for key in ("nav", "housing")}
    world.agencies["prison_health"].post(FHIR, body("samtykke-tsb.fhir.json"))
    world.settle()
    got = world.agencies["tsb"].got
    say("TSB gets one referral", len(got) == 1)
    text = b"".join(message.body for message in got)
    bundle = json.loads(text or b"{}")
    say("as FHIR", bundle.get("resourceType") == "Bundle")
    say("with AUDIT 22 and DUDIT 31", {22, 31} <= set(integers(bundle)))
    after = {key: len(world.agencies[key].got) for key in ("nav", "housing")}
    say("NAV and housing still get nothing of it", after == before)


def discharge_summary(world: World, say: Say) -> None:
    """4. The prison health service posts an epikrise before anybody has said who the person's GP is; then
    it is recorded, and a consent naming the GP comes later."""
    world.agencies["prison_health"].post(FHIR, body("epikrise.fhir.json"))
    world.settle()
    say("to whoever is not recorded as the GP nothing goes", not world.agencies["gp"].got)
    listed = gps.Said(ORGS["gp"], world.clock().date(), None, "fastlegeregisteret")
    gps.record(world.parts, PERSON, listed, identity.Desk("Kari Vik", "oppslag i registeret", "demo"))
    world.settle()
    got = world.agencies["gp"].got
    say("the GP gets the epikrise", len(got) == 1 and b"Composition" in got[0].body)
    say("with what is not about rus", len(got) == 1 and "J45" in got[0].body.decode())
    say("without the rus section", not tells_of_substance_use(world, "gp"))
    say("the rest waits, sealed", len(disclosures(world, "gp", Outcome.WAITING)) == 1)
    world.agencies["prison_health"].post(FHIR, body("samtykke-gp.fhir.json"))
    world.settle()
    say("after the consent the GP gets the full one", len(got) == 2 and "F11" in got[1].body.decode())
    say("nothing waits for the GP any more", not disclosures(world, "gp", Outcome.WAITING))


def release_date(world: World, say: Say) -> None:
    """5. The release date moves twice, and the messages arrive out of order."""
    prison = world.agencies["prison"]
    prison.post(JSON, body("loslatelse-3.json"))
    late = prison.post(JSON, body("loslatelse-2.json"))
    world.settle()
    status = prison.client.status(late["id"])
    say("the older one is known as overtaken", status["state"] == "superseded")
    for key in ("nav", "housing", "tsb"):
        dates = list(dates_told(world, key))
        say(f"{NAMES[key]} ends with the last date", bool(dates) and dates[-1] == "2027-04-15")
        say("and never hears the overtaken one", "2027-03-20" not in dates)


def answers(world: World, say: Say) -> None:
    """6. Housing and NAV answer; one expected answer does not come."""
    answer(world, "nav", "nav.sak", "nav-svar.json")
    answer(world, "housing", "bolig.foresporsel", "bolig-svar.json")
    answer(world, "housing", "opphold.loslatelsesdato", "bolig-kvittering.json")
    world.settle()
    prison = world.agencies["prison"]
    types = sorted(kind(got) for got in prison.got)
    say("the prison gets both answers and the receipt", types == ["bolig.svar", "kvittering", "nav.sak"])
    world.clock.forward(timedelta(days=20))
    asked = recipients(world, XML, "brik.xml")
    told = recipients(world, JSON, "loslatelse-3.json")
    for name in ("NAV Elvestad", "Elvestad boligkontor"):
        say(f"the prison sees that {name} got the BRIK", bool(asked[name]["delivered_at"]))
        say(f"and that {name} answered", bool(asked[name]["answered_at"]))
    overdue = [name for shown in (asked, told) for name, row in shown.items() if row["overdue"]]
    say("NAV's receipt for the new date is overdue, and nothing else", overdue == ["NAV Elvestad"])
    words = {row["state"] for row in (*asked.values(), *told.values())}
    say("the prison sees no refusal and no waiting", words == {"delivered", "accepted"})
    say("and nothing of TSB", not {"Solbakken klinikk"} & {*asked, *told})


def withdrawal(world: World, say: Say) -> None:
    """7. TSB's endpoint is down, a second referral is queued, the consent is withdrawn."""
    tsb = world.webhook("tsb")
    before = len(tsb.got)
    tsb.down()
    world.agencies["prison_health"].post(JSON, body("henvisning-2.json"))
    world.wait_for("a failed attempt", lambda: tried(world, "henvisning-tsb"))
    say("the second referral is tried and waits", len(tsb.got) == before)
    world.agencies["prison_health"].post(JSON, body("samtykke-tsb-trukket.json"))
    tsb.up()
    world.wait_for("the end of the referral", lambda: ended(world, "henvisning-tsb"))
    world.settle()
    fresh = tsb.got[before:]
    say("the second referral is never sent", all(b"ServiceRequest" not in got.body for got in fresh))
    kinds = [kind(got) for got in fresh]
    say("TSB is told of the withdrawal and nothing else", kinds == ["samtykke.trukket"])
    withheld = disclosures(world, "tsb", Outcome.WITHHELD)
    say("the hub says why", [item.code for item in withheld] == ["decide.withdrawn"])


def released(world: World, say: Say) -> None:
    """8. The prison writes the remark anew. One of its words may mean something else: that takes two."""
    before = len(world.agencies["housing"].got)
    world.agencies["prison"].post(JSON, body("brik-2.json"))
    world.settle()
    [remark] = disclosures(world, "housing", Outcome.HELD)
    say("the new remark is held too", len(world.agencies["housing"].got) == before + 1)
    kari, per = reader(world, "kari"), reader(world, "per")
    holds.read(world.parts, remark.id, kari)
    done = holds.answer(world.parts, remark.id, kari, Word.RELEASE, reason="hagen, ikke noe annet")
    world.settle()
    say("one reader alone moves nothing", done.waits and len(world.agencies["housing"].got) == before + 1)
    holds.read(world.parts, remark.id, per)
    holds.confirm(world.parts, remark.id, per)
    world.settle()
    got = [json.loads(message.body) for message in world.agencies["housing"].got[before:]]
    written = json.loads(body("brik-2.json"))["bolig"]["merknad"]
    say("after the second the housing office gets it", [m.get("merknad") for m in got] == [None, written])
    say("and still nothing that tells of substance use", not tells_of_substance_use(world, "housing"))


def proof(world: World, say: Say) -> None:
    """9. Everything can be proved afterwards."""
    while log.integrate(world.parts.store, world.parts.vault, world.clock()):
        pass
    report = verify(world.parts.store, world.parts.vault)
    say(f"the audit log is whole ({report.leaves} leaves)", report.whole and report.leaves > 0)
    say(f"every hand-over is in it ({report.hand_overs})", report.hand_overs >= 10)


CHAPTERS = (
    mapping,
    returned,
    consent_for_tsb,
    discharge_summary,
    release_date,
    answers,
    withdrawal,
    released,
    proof,
)


def reader(world: World, name: str) -> Reader:
    """Somebody who reads for the prison's health service."""
    return Reader(name, world.parts.directory[world.org("prison_health")].agency)


def only(world: World, key: str, message_type: str) -> dict[str, Any]:
    """The one message of a type that an agency got; empty when it is none or several."""
    found = [json.loads(got.body) for got in world.agencies[key].got if kind(got) == message_type]
    return found[0] if len(found) == 1 else {}


def kind(got: Got) -> str:
    """The type a plain JSON message names, or the FHIR resource type."""
    try:
        document = json.loads(got.body)
    except ValueError:
        return ""
    return str(document.get("type") or document.get("resourceType", ""))


def tells_of_substance_use(world: World, key: str) -> bool:
    text = " ".join(got.body.decode() for got in world.agencies[key].got).lower()
    return SAYS_SUBSTANCE_USE.search(AN_ID.sub("", text)) is not None


def tells_of_a_gap(world: World, key: str) -> bool:
    """Empty values, or any word for something that was taken out."""
    text = " ".join(got.body.decode() for got in world.agencies[key].got).lower()
    return any(mark in text for mark in MARKS_OF_A_GAP)


def disclosures(world: World, key: str, outcome: Outcome) -> list[Disclosure]:
    """What the hub says of an agency's disclosures with this outcome."""
    with world.parts.store.reading() as view:
        org = world.org(key)
        return where(view, disclosure.c.recipient == org, disclosure.c.outcome == outcome)


def tried(world: World, agreement: str) -> bool:
    return any(item.attempts > 0 for item in _under(world, agreement))


def ended(world: World, agreement: str) -> bool:
    return all(item.outcome is not None for item in _under(world, agreement))


def _under(world: World, agreement: str) -> list[Disclosure]:
    with world.parts.store.reading() as view:
        return where(view, disclosure.c.agreement == agreement)


def recipients(world: World, media_type: str, name: str) -> dict[str, dict[str, Any]]:
    """What the prison may see of a message it posted before, by the recipient's name."""
    prison = world.agencies["prison"]
    posted = prison.post(media_type, body(name))  # the same message again: only its id is new to us
    return {row["name"]: row for row in prison.client.status(posted["id"])["recipients"]}


def dates_told(world: World, key: str) -> Iterator[str]:
    """The release dates an agency was told, in the order it heard them."""
    for got in world.agencies[key].got:
        for word in got.body.decode().replace('"', " ").replace("<", " ").replace(">", " ").split():
            if word in ("2027-03-01", "2027-03-20", "2027-04-15"):
                yield word


def answer(world: World, key: str, message_type: str, name: str) -> None:
    """Post a prepared answer, referring to what the agency got."""
    agency = world.agencies[key]
    asked = next(got for got in agency.got if kind(got) == message_type)
    document = json.loads(body(name))
    document["melding"]["svar_pa"] = asked.disclosure
    if "gjelder" in document:
        document["gjelder"] = asked.disclosure
    agency.post(JSON, json.dumps(document).encode())


def integers(node: Any) -> Iterator[int]:
    """Every integer in a JSON document."""
    if isinstance(node, dict):
        for value in node.values():
            yield from integers(value)
    elif isinstance(node, list):
        for value in node:
            yield from integers(value)
    elif isinstance(node, int) and not isinstance(node, bool):
        yield node
