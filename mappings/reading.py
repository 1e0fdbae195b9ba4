"""Understands how a type file declares fields, code tables and checks.

Turns forms into values and puts every fault into the findings of the form. Adds the two groups that
no file has to declare: `melding` and `person`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from hub.message import Category
from mappings.fields import DEFAULT_LENGTH, TEXTS, FieldSpec, Kind, Text
from mappings.form import Form
from mappings.rules import Check

Codes = Mapping[str, Text]
Tables = Mapping[str, Codes]

RESERVED = frozenset({"type", "melding", "person"})
ID_PATTERN = re.compile(r"[!#-%(-;=?-\[\]-~]{1,100}")
"""Printable ASCII without blanks, quotes, &, <, > and backslash: `{UUID}`, `a/b` and `1@x.no` are ids too."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")

_COORDINATION = frozenset({Category.COORDINATION})
_IDENTITY = frozenset({Category.IDENTITY})

MELDING = FieldSpec(
    "melding",
    Kind.GROUP,
    Text("Om selve meldingen", "About the message itself"),
    required=True,
    fields=(
        FieldSpec(
            "melding.id",
            Kind.TEXT,
            Text("Avsenderens id for meldingen", "The sender's id of the message"),
            _COORDINATION,
            required=True,
            most=100,
            pattern=ID_PATTERN,
        ),
        FieldSpec(
            "melding.sendt",
            Kind.DATETIME,
            Text("Når meldingen ble sendt", "When the message was sent"),
            _COORDINATION,
            required=True,
        ),
        FieldSpec(
            "melding.mottaker",
            Kind.ORGNR,
            Text("Mottakeren, når avsenderen velger den", "The recipient, when the sender chooses it"),
            _COORDINATION,
        ),
        FieldSpec(
            "melding.avsender",
            Kind.ORGNR,
            Text("Avsenderen; huben skriver den", "The sender; the hub writes it"),
            _COORDINATION,
        ),
        FieldSpec(
            "melding.svar_pa",
            Kind.TEXT,
            Text("Id-en til meldingen dette svarer på", "The id of the message this answers"),
            _COORDINATION,
            most=100,
            pattern=ID_PATTERN,
        ),
    ),
)

_NUMBER = FieldSpec(
    "person.id",
    Kind.FODSELSNUMMER,
    Text("Fødselsnummer eller D-nummer", "National identity number or D-number"),
    _IDENTITY,
    required=True,
)
_NAME_OF = FieldSpec(
    "person.navn", Kind.TEXT, Text("Navnet på personen", "The name of the person"), _IDENTITY, most=200
)
_BORN = FieldSpec(
    "person.fodt",
    Kind.DATE,
    Text("Fødselsdatoen til en person uten nummer", "The birth date of a person without a number"),
    _IDENTITY,
)
_SEX = FieldSpec(
    "person.kjonn",
    Kind.CODE,
    Text("Kjønnet til en person uten nummer (3101)", "The sex of a person without a number (3101)"),
    _IDENTITY,
    codes={"1": Text("Mann", "Male"), "2": Text("Kvinne", "Female")},
)

PERSON = FieldSpec(
    "person",
    Kind.GROUP,
    Text("Personen meldingen gjelder", "The person the message is about"),
    required=True,
    fields=(_NUMBER, _NAME_OF),
)
DESCRIBED = replace(
    PERSON,
    fields=(
        replace(_NUMBER, instead=("navn", "fodt", "kjonn")),
        _NAME_OF,
        replace(_BORN, not_beside="id"),
        replace(_SEX, not_beside="id"),
    ),
)
"""A person with a number, or one who is described: a name, a birth date and a sex identify a patient, too
(AppRec, HIS 80415). Nothing about somebody described goes on until two at a desk have said whose it is."""


def read_fields(form: Form, tables: Tables) -> tuple[FieldSpec, ...]:
    """All fields of a type, `melding` and `person` first. Reads the keys `person`, `described`, `fields`."""
    person = form.word("person", ("required", "optional", "none"))
    described = form.flag("described") if form.has("described") else False
    given: list[FieldSpec] = [MELDING]
    if person != "none":
        given.append(replace(DESCRIBED if described else PERSON, required=person == "required"))
    elif described:
        form.refuse("described", "one-of", "a type that is about a person")
    for name, inner in form.forms("fields"):
        if name in RESERVED:
            inner.refuse("", "reserved", "another name; every type has this one already")
        given.append(_field(inner, name, name, tables))
    return tuple(given)


def says(form: Form) -> Text:
    """What something is called in both languages. Reads the keys `nb` and `en`."""
    return Text(form.text("nb"), form.text("en"))


def said(form: Form, key: str) -> Text:
    inner = form.form(key)
    text = says(inner)
    inner.close()
    return text


def read_codes(form: Form) -> Codes:
    """A code table: each code with what it means. The whole form is the table."""
    codes: dict[str, Text] = {}
    for code in form.names():
        if not _CODE.fullmatch(code):
            form.refuse(code, "code", "letters, digits, _ . -")
        codes[code] = said(form, code)
    if not codes:
        form.refuse("", "code", "at least one code")
    return codes


def _field(form: Form, path: str, name: str, tables: Tables) -> FieldSpec:
    if not _NAME.fullmatch(name):
        form.refuse("", "name", "lower case letters, digits and _")
    kind = Kind(form.word("kind", Kind))
    labels = form.words("labels", Category)
    spec = FieldSpec(
        path,
        kind,
        says(form),
        labels,
        required=form.flag("required"),
        many=form.flag("many"),
    )
    if kind is Kind.GROUP:
        spec = replace(spec, fields=_group(form, path, tables))
    elif not labels or Category.UNKNOWN in labels:
        form.refuse("labels", "labels", "at least one category, and not unknown")
    if kind is Kind.GROUP and labels:
        form.refuse("labels", "labels", "nothing: the fields of a group have labels")
    if spec.many and kind is not Kind.GROUP:
        spec = replace(spec, exactly=form.number("exactly"))
    spec = _limits(form, spec)
    if kind is Kind.CODE:
        spec = replace(spec, codes=_codes(form, tables))
    if kind is Kind.CODED:
        spec = replace(spec, system=form.optional_text("system"))
    form.close()
    return spec


def _group(form: Form, path: str, tables: Tables) -> tuple[FieldSpec, ...]:
    fields = tuple(_field(inner, f"{path}.{name}", name, tables) for name, inner in form.forms("fields"))
    if not fields:
        form.refuse("fields", "group", "at least one field")
    return fields


def _limits(form: Form, spec: FieldSpec) -> FieldSpec:
    if spec.kind is Kind.INTEGER:
        return replace(spec, least=form.number("min"), most=form.number("max"))
    if spec.kind is Kind.FILE:
        return replace(spec, most=form.number("max") or DEFAULT_LENGTH[spec.kind])
    if spec.kind in TEXTS:
        most = form.number("max") or DEFAULT_LENGTH[spec.kind]
        return replace(spec, most=most, pattern=_pattern(form))
    return spec


def _pattern(form: Form) -> re.Pattern[str] | None:
    text = form.optional_text("pattern")
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error:
        form.refuse("pattern", "pattern", "a regular expression")
        return None


def _codes(form: Form, tables: Tables) -> Codes:
    named = form.take("codes")
    if isinstance(named, str):
        if named not in tables:
            form.refuse("codes", "codes", "one of: " + ", ".join(sorted(tables)))
        return tables.get(named, {})
    return read_codes(form.form("codes"))


def read_checks(form: Form) -> tuple[Check, ...]:
    """The checks of a type. Reads the key `checks`."""
    checks = []
    for number, given in enumerate(form.list("checks"), start=1):
        inner = Form(form.file, f"checks[{number}]", given, form.findings)
        rule = inner.word("rule", _CHECKS)
        checks.append(_CHECKS[rule](inner, rule))
        inner.close()
    return tuple(checks)


def _sum(form: Form, rule: str) -> Check:
    return Check(rule, says(form), (form.text("of"),), other=form.text("is"))


def _items(form: Form, rule: str) -> Check:
    start = form.number("from") or 1
    return Check(rule, says(form), (form.text("of"),), values=frozenset(form.list("in")), start=start)


def _not_before(form: Form, rule: str) -> Check:
    return Check(rule, says(form), (form.text("field"),), other=form.text("other"))


def _at_least_one(form: Form, rule: str) -> Check:
    return Check(rule, says(form), form.texts("of") or ("",))


def _when(form: Form, rule: str) -> Check:
    values = frozenset(form.list("in"))
    return Check(rule, says(form), form.texts("fields"), other=form.text("when"), values=values)


def _same(form: Form, rule: str) -> Check:
    return Check(rule, says(form), form.texts("fields") or ("",))


_CHECKS: Mapping[str, Callable[[Form, str], Check]] = {
    "sum": _sum,
    "items": _items,
    "not-before": _not_before,
    "at-least-one": _at_least_one,
    "only-when": _when,
    "required-when": _when,
    "same": _same,
}
