"""Understands how a FHIR Consent (R4 or R5) becomes a consent record, or a list of what cannot be evaluated.

R4 says the rule in provision and its exceptions below, each with a type; R5 says the decision once, and
every level below reverses the one above. Siblings are or, attributes and, values or, in both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.base import Findings
from adapters.fhir import Json, Reader, open_coding, open_concept, open_resource, present
from adapters.fhir_bundle import MESSAGE_ID
from adapters.fhir_consent import vocabulary as words
from adapters.fhir_consent.resource import (
    Resolve,
    is_newer,
    kind_of,
    moment,
    nowhere,
    number_behind,
    read_identified,
    read_series,
)
from adapters.fhir_parts import ORGNR, PERSONS, read_organisation
from adapters.fhir_places import said_at
from hub.message import Record

TYPE = "samtykke.gitt"
LEVELS = 3
"""The rule, exceptions to it, and exceptions to those."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read(document: Mapping[str, object], resolve: Resolve = nowhere) -> Record:
    """Read one consent. Raises parse.invalid when it is not FHIR R4 or R5, consent.not-evaluable when it
    says something that the record cannot say exactly; every finding of both kinds is told. `resolve` finds
    what it refers to."""
    structure, meaning = Findings(), Findings()
    consent = Reader(document, "", meaning)
    fields = _Reading(consent, is_newer(document, consent, structure), resolve).fields()
    consent.finish()
    if structure:
        structure.extend(meaning)
        structure.finish()
    meaning.finish("consent.not-evaluable")
    return Record(TYPE, fields)


@dataclass(frozen=True)
class _Reading:
    """One reading of one resource. `newer` is R5."""

    consent: Reader
    newer: bool
    resolve: Resolve

    def fields(self) -> Json:
        consent = self.consent
        consent.ignore("organization", "manager", "controller")
        open_resource(consent)
        self._status()
        series, ids = read_series(consent, (MESSAGE_ID,))
        extensions = self._extensions()
        provision = None if self.newer else consent.child("provision", required=True)
        decision = self._decision(provision)
        version = self._version(decision)
        patient = consent.child("subject" if self.newer else "patient", required=True)
        person = read_identified(patient, "Patient", PERSONS, self.resolve) if patient else None
        samtykke = present(
            serie=series,
            versjon=version,
            beslutning=words.DECISIONS.get(decision or ""),
            **self._periods(provision),
            signert=extensions.pop("signert", False),
            forklart=extensions.pop("forklart", False),
            tekstversjon=self._text_version(),
            form=extensions.pop("form", None),
            gitt_av=self._grantor(decision, person),
            slag=self._kind(_only_refuses(decision, consent if self.newer else provision)),
            **{name: extensions.pop(name, None) for name in ("erstatter", *words.EXTRA.values())},
        )
        widened = provision is not None and _blocks_personnel(provision, decision)
        if widened:
            samtykke["utvidet"] = True
        scope = self._scope(provision, decision, actors_unknown=widened) if provision else {}
        unntak = self._exceptions(provision or (consent if self.newer else None), decision, 1)
        melding = present(
            id=ids.get(MESSAGE_ID) or said_at(f"{series}.{version}", series),
            sendt=moment(consent.text("date" if self.newer else "dateTime", required=True)),
            **extensions,
        )
        told = present(id=person[1] if person else None, navn=patient.text("display") if patient else None)
        return present(melding=melding, person=told, samtykke=samtykke, **scope, unntak=unntak)

    def _status(self) -> None:
        status = self.consent.text("status")
        if status != "active":
            self.consent.fault("status", "status", words.STATUSES.get(status or "", "active"))

    def _version(self, decision: str | None) -> int | None:
        """A refusal without one is the first: where it is not, the register says so."""
        version = self.consent.peek("meta", "versionId")
        if isinstance(version, str) and re.fullmatch(r"[1-9][0-9]{0,5}", version):
            return int(version)
        if version is None and decision == "deny":
            return 1
        self.consent.fault("meta.versionId", "value", "an integer from 1")
        return None

    def _extensions(self) -> Json:
        found: Json = {}
        codes = {"form": words.FORMS, "sted": words.SETTINGS, "tolk": words.INTERPRETERS}
        for extension in self.consent.children("extension"):
            if extension.peek("url") in words.OF_WITHDRAWAL:
                self.consent.fault("status", "status", words.ENDED_SAYS)
                extension.ignore_all()
                continue
            name = extension.one_of("url", words.EXTENSIONS)
            if name is None or name in found:
                if name is not None:
                    extension.fault("url", "value", "a known extension, once")
                extension.ignore_all()
            elif name in ("signert", "forklart", "under_straff", "utvidet"):
                found[name] = extension.boolean("valueBoolean")
            elif name in codes:
                found[name] = extension.one_of("valueCode", codes[name])
            elif name == "sprak":
                found[name] = extension.text("valueCode", required=True)
            elif name in ("mottaker", "avsender"):
                found[name] = read_organisation(extension.child("valueIdentifier", required=True))
            else:
                found[name] = extension.text("valueString", required=True)
        return {name: value for name, value in found.items() if value is not None}

    def _grantor(self, decision: str | None, person: tuple[str, str] | None) -> str | None:
        """Who gave it. A refusal that does not say counts all the same; a permission does not."""
        name = "grantor" if self.newer else "performer"
        performers = self.consent.children(name, at_most=1)
        if not performers:
            if decision == "permit":
                self.consent.fault(name, "missing", "who gave it")
            return None
        performer = performers[0]
        performer.ignore("display")
        address = performer.text("reference")
        named = kind_of(address, "")
        kind = performer.text("type") or named or ""
        if named not in (None, kind):
            performer.fault("type", "value", "the kind of resource referred to")
        identifier, said = performer.child("identifier"), None
        if identifier is not None:
            identifier.ignore("use", "type", "assigner", "period")
            said = identifier.text("system"), identifier.text("value")
            if kind == "Patient" and said != person:
                identifier.fault("value", "value", "the person the consent is about")
        own = self.consent.peek("subject" if self.newer else "patient", "reference")
        elsewhere = kind == "Patient" and address not in (None, own)
        if elsewhere and (own is not None or not self._leads_to(person, performer, said)):
            performer.fault("reference", "value", "the person the consent is about")
        if kind not in words.GRANTORS:
            performer.fault("type", "code", "one of " + ", ".join(words.GRANTORS))
        return words.GRANTORS.get(kind)

    def _leads_to(self, person: object, performer: Reader, said: object) -> bool:
        """Whether a reference is to this person: by the number beside it, or by that of the resource, where
        somebody has it. Where both are there they must agree."""
        address = performer.text("reference") or ""
        behind = number_behind(performer, self.resolve(address), "Patient", PERSONS)
        numbers = [one for one in (said, behind) if one is not None]
        return person is not None and bool(numbers) and all(one == person for one in numbers)

    def _kind(self, wide: bool) -> str | None:
        """Sharing, or taking part in a programme. R4 says it in scope, R5 among the categories."""
        kinds: set[str] = set()
        known = {**words.CONSENT_CATEGORIES, **(words.KINDS if self.newer else {})}
        for category in self.consent.children("category"):
            found = _coded(category, wide)
            if found is None:
                continue
            kind = known.get(found)
            if kind is None:
                category.fault("coding[0].code", "code", "LOINC 59284-0 or 64292-6, or IDSCL")
            else:
                kinds.add(kind)
        if self.newer:
            if not kinds:
                self.consent.fault("category", "missing", "what kind of consent it is")
            return "program" if "program" in kinds else "deling"
        scope = self.consent.child("scope")
        found = _coded(scope, wide)
        if scope is None or found is None:
            return None
        if found not in words.KINDS:
            scope.fault(
                "coding[0].code", "code", "patient-privacy, or program for taking part in a programme"
            )
        return words.KINDS.get(found)

    def _text_version(self) -> str | None:
        if self.newer:
            attachments = self.consent.children("sourceAttachment", at_most=1)
            attachment = attachments[0] if attachments else None
        else:
            attachment = self.consent.child("sourceAttachment")
        if attachment is None:
            return None
        attachment.ignore("contentType", "language", "creation", "size", "hash")
        return attachment.text("title", required=True)

    # -------------------------------------------------------------------------------- the rules

    def _decision(self, provision: Reader | None) -> str | None:
        consent = self.consent
        same = {name: name for name in words.DECISIONS}
        if self.newer:
            for basis in consent.children("regulatoryBasis"):
                self._policy_rule(basis, consent.peek("decision"))
            return consent.one_of("decision", same)
        for policy in consent.children("policy"):
            policy.ignore("authority")
            policy.constant("uri", words.POLICY)
        rule = consent.child("policyRule")
        stated = consent.peek("provision", "type")
        if rule is not None:
            found = self._policy_rule(rule, stated)
            if provision is not None and stated is None and found == words.BLOCK:
                return "deny"
        if provision is None:
            return None
        provision.ignore("id")
        return provision.one_of("type", same)

    @staticmethod
    def _policy_rule(rule: Reader, decision: object) -> words.Code | None:
        """A policy that says no more than the decision itself."""
        found = _coded(rule, decision == "deny")
        if found is None:
            return None
        said = words.POLICY_RULES.get(found)
        if said is None:
            rule.fault(
                "coding[0].code", "policy", "PBRL5-3, OPTIN or OPTOUT: other policies are not known here"
            )
        elif words.OPPOSITE[said] == decision:
            rule.fault("coding[0].code", "policy", "a policy that agrees with the decision")
        return found

    def _periods(self, provision: Reader | None) -> Json:
        if self.newer:
            first, last = _period(self.consent, "period")
            return present(gyldig_fra=first, gyldig_til=last)
        valid, data = _period(provision, "period"), _period(provision, "dataPeriod")
        return present(gyldig_fra=valid[0], gyldig_til=valid[1], data_fra=data[0], data_til=data[1])

    def _scope(self, provision: Reader, decision: str | None, *, actors_unknown: bool = False) -> Json:
        actors: dict[str, list[object]] = {"avsendere": [], "mottakere": []}
        wide = _only_refuses(decision, provision)
        if actors_unknown:
            provision.ignore("actor")
        else:
            for actor in provision.children("actor"):
                self._actor(actor, actors, wide)
        categories, purposes = dict(words.CATEGORIES), dict(words.PURPOSES)
        if wide:
            categories |= words.NARROWER
            purposes |= words.NARROWER_PURPOSES
        _actions(provision, wide)
        for name, expected in words.NO_LIMIT.items():
            if provision.has(name):
                provision.ignore(name)
                provision.fault(name, "not-read", expected)
        return present(
            **actors,
            formal=_codes(provision, "purpose", purposes, wide),
            kategorier=_codes(provision, "securityLabel", categories, wide),
        )

    def _actor(self, actor: Reader, actors: Mapping[str, list[object]], wide: bool) -> None:
        role, reference = actor.child("role", required=True), actor.child("reference", required=True)
        found = _coded(role, wide)
        side = words.ROLES.get(found) if found else None
        if role is not None and found is not None and side is None:
            role.fault("coding[0].code", "code", "IRCP or PRCP (recipient), or CST (sender)")
        if reference is None:
            return
        reference.ignore("display")
        systems = {name: name for name in words.PARTIES}
        identified = read_identified(reference, "Organization", systems, self.resolve)
        if identified is None:
            return
        system, value = identified
        known = words.PARTIES[system]
        if known and not wide and kind_of(reference.text("reference"), "Organization") == "Organization":
            reference.fault("reference", "narrower", "no single organisation beside a sector")
        if known and value not in known:
            reference.fault("identifier.value", "code", "a sector, or * for all")
        if system == ORGNR and not re.fullmatch(r"[0-9]{9}", value):
            reference.fault("identifier.value", "value", "9 digits")
        if side is not None and value not in actors[side]:
            actors[side].append(value)

    def _exceptions(self, around: Reader | None, decision: str | None, level: int) -> list[Json]:
        if around is None:
            return []
        found: list[Json] = []
        opposite = words.OPPOSITE.get(decision or "")
        for child in around.children("provision"):
            child.ignore("id")
            if level == LEVELS:
                child.ignore_all()
                child.fault("", "nested", "at most exceptions to exceptions")
                continue
            if not self.newer and child.text("type", required=True) not in (opposite, None):
                child.fault("type", "alternates", "the opposite of the rule it is an exception to")
            scope = self._scope(child, opposite)
            first, last = _period(child, "period")
            data_first, data_last = _period(child, "dataPeriod")
            exception = present(**scope, fra=first, til=last, data_fra=data_first, data_til=data_last)
            if not _has_limits(child):
                child.fault("", "missing", "what the exception is about")
            exception |= present(unntak=self._exceptions(child, opposite, level + 1))
            found.append(exception)
        return found


def _blocks_personnel(provision: Reader, decision: str | None) -> bool:
    """Whether it is a refusal that names personnel and makes no exceptions. Where they work is not known
    here, so it is recorded as one towards everybody: doubt widens a refusal, and a block that is turned
    away protects nobody meanwhile. With exceptions it would say what else is permitted; that is not
    guessed."""
    actors = provision.peek("actor")
    if decision != "deny" or not isinstance(actors, list) or provision.has("provision"):
        return False
    return any(_is_personnel(actor.get("reference")) for actor in actors if isinstance(actor, Mapping))


def _is_personnel(reference: object) -> bool:
    if not isinstance(reference, Mapping):
        return False
    identifier, address = reference.get("identifier"), reference.get("reference")
    system = identifier.get("system") if isinstance(identifier, Mapping) else None
    kinds = {reference.get("type"), kind_of(address if isinstance(address, str) else None, "")}
    return bool(kinds & words.PERSONNEL) or system == words.HPR


def _only_refuses(decision: str | None, around: Reader | None) -> bool:
    """Whether what is said here may be read wider than it is. A refusal may; but not where there are
    exceptions to it, since what they leave unsaid they take from here."""
    return decision == "deny" and around is not None and not around.has("provision")


def _coded(concept: Reader | None, wide: bool) -> words.Code | None:
    """(system, code). Words that stand beside a code and are not those of the code may say less than it:
    "only to my doctor"."""
    found = open_concept(concept)
    if concept is None or found is None:
        return None
    system, code, display, text = found
    if text is not None and display is None and not wide:
        concept.fault("text", "narrower", "no words beside a code but its display")
    if text is not None and display is not None and text != display:
        concept.fault("text", "value", "the same words as display")
    return system, code


def _has_limits(child: Reader) -> bool:
    """Whether it says what it is about; what of that cannot be read is told in its place."""
    return any(child.has(name) for name in ("actor", "purpose", "securityLabel", "period", "dataPeriod"))


def _period(around: Reader | None, name: str) -> tuple[str | None, str | None]:
    period = around.child(name) if around else None
    if period is None:
        return None, None
    ends = []
    for end in ("start", "end"):
        value = period.text(end)
        if value is not None and not _DAY.fullmatch(value):
            period.fault(end, "value", "a whole day, YYYY-MM-DD")
        ends.append(value)
    if ends == [None, None]:
        period.fault("", "missing", "a start or an end")
    return ends[0], ends[1]


def _actions(provision: Reader, wide: bool) -> None:
    """A permission to share must be one to hand over and nothing more; a refusal of any part of sharing
    refuses sharing."""
    if not provision.has("action"):
        return
    named: set[str | None] = set()
    for action in provision.children("action", at_least=1):
        found = _coded(action, wide)
        if found is not None:
            named.add(found[1] if found[0] == words.ACTION else None)
    sharing = named & words.SHARING_ACTIONS
    whole = named == sharing and bool(named & words.HANDING_OVER)
    if named and not (sharing if wide else whole):
        provision.fault("action", "code", "access or disclose, and nothing that is no part of sharing")


def _codes(provision: Reader, name: str, known: Mapping[words.Code, str], wide: bool) -> list[str]:
    found: list[str] = []
    for item in provision.children(name):
        system, code, _ = open_coding(item)
        word = known.get((system, code))
        if word is None:
            part = "part of" if wide else "as wide as"
            item.fault("code", "code", f"a code that the README lists, {part} our own word")
        elif word not in found:
            found.append(said_at(word, code))
    return found
