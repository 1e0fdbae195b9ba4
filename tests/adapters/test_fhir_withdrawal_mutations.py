"""Removing any single check of how an ended consent is read or written makes a case of the tables fail."""

from __future__ import annotations

from types import ModuleType

from adapters.fhir_consent import resource
from adapters.fhir_withdrawal import adapter, reading
from tests import mutating
from tests.adapters import test_fhir_withdrawal, test_fhir_withdrawal_permitted

TABLES = (test_fhir_withdrawal, test_fhir_withdrawal_permitted)

R, A, SHARED = reading, adapter, resource
MUTATIONS: list[mutating.Mutation] = [
    (SHARED, "ids.keys() <= {WITHDRAWAL}", "not ids"),
    (SHARED, "ids.keys() <= {WITHDRAWAL}", "True"),
    (R, '{status: status for status in words.ENDED}', '{status: status for status in words.STATUSES}'),
    (R, "needed=not told", "needed=False"),
    (R, "        if series is None:\n            consent.fault", "        if False:\n            consent.fault"),
    (R, '"subject" if newer else "patient", required=True', '"subject" if newer else "patient"'),
    (R, "    _check_permitted(consent, newer=newer)\n", ""),
    (R, '            meaning.add(place, "not-read", NOT_CARRIED)\n', "            pass\n"),
    (R, "    consent.finish()\n", ""),
    (R, "    structure.extend(meaning)\n", ""),
    (R, "    structure.finish()\n", ""),
    (R, "[series, person, str(version), when]", "[series, person, str(version)]"),
    (R, "[series, person, str(version), when]", "[series, person, when]"),
    (R, "[series, person, str(version), when]", "[series, str(version), when]"),
    (R, "[series, person, str(version), when]", "[person, str(version), when]"),
    (R, ".astimezone(UTC).isoformat()", ".isoformat()"),
    (R, "if updated is None and stated is None:", "if False:"),
    (R, "moment(updated or stated)", "moment(stated or updated)"),
    (R, "if name in found:", "if False:"),
    (R, '            if found[name] is None:\n', "            if False:\n"),
    (R, '"valueDateTime", required=True', '"valueDateTime"'),
    (R, 'moment(extension.text("valueDateTime", required=True))', 'extension.text("valueDateTime", required=True)'),
    (R, 'if decision == "deny"]', "if False]"),
    (R, "if said and not denies and (unknown or not permits):", "if False:"),
    (R, "if said and not denies and (unknown or not permits):", "if said and not denies and not permits:"),
    (R, "if said and not denies and (unknown or not permits):", "if said and not denies and unknown:"),
    (R, "if said and not denies and (unknown or not permits):", "if not denies and (unknown or not permits):"),
    (R, "if not _excepts(consent, newer=newer) or permits:", "if True:"),
    (R, "if not _excepts(consent, newer=newer) or permits:", "if permits:"),
    (R, "if not _excepts(consent, newer=newer) or permits:", "if not _excepts(consent, newer=newer):"),
    (R, 'and bool(consent.peek("provision"))', ""),
    (R, 'consent.peek("decision") == "deny" and', "True and"),
    (R, "return denied and any(", "return any("),
    (R, 'one.get("type") == "permit" for one in permitting', "True for one in permitting"),
    (R, "elif version is None and is_day(", "elif is_day("),
    (R, "elif version is None and is_day(", "elif False and is_day("),
    (SHARED, "return value and counted(value)", "return value"),
    (SHARED, 'if stale and identifier.peek("system") == WITHDRAWAL:', "if False:"),
    (SHARED, "if stale and identifier.peek", "if identifier.peek"),
    (SHARED, "1 + len(systems) + stale", "1 + len(systems)"),
    (R, '(consent.has("decision") or consent.has("provision"))', 'consent.has("decision")'),
    (R, '(consent.has("decision") or consent.has("provision"))', 'consent.has("provision")'),
    (R, '    elif consent.has("provision"):\n', '    elif consent.peek("provision", "type"):\n'),
    (R, '*_policies(consent, "regulatoryBasis" if newer else "policyRule"), ', ""),
    (R, '"regulatoryBasis" if newer else "policyRule"', '"policyRule"'),
    (R, "        if not found:\n            yield at, None\n", ""),
    (R, "if name in MODIFIERS:", "if False:"),
    (R, '("modifierExtension", "implicitRules")', '("modifierExtension",)'),
    (R, '            yield from _modified(one, item(at, index))\n', "            pass\n"),
    (R, 'yield from _modified(one, below(at, name))', "pass"),
    (R, 'PERMITTED = words.DECISIONS["permit"]', 'PERMITTED = words.DECISIONS["deny"]'),
    (A, "in words.ENDED", "in words.STATUSES"),
    (A, "return write_exactly(_in_full(record), _compose, read)", "return _compose(record)"),
    (A, "if withdrawn != sent else []", ""),
    (A, "if signed is not None else []", "if signed else []"),
]  # one row per case # fmt: skip


def test_the_tables_hold_for_what_is_not_mutated() -> None:
    assert not mutating.noticed(mutating.of_tables(TABLES))


@mutating.each(MUTATIONS)
def test_a_check_taken_out_is_noticed(where: ModuleType, old: str, new: str) -> None:
    mutating.expect_noticed(where, old, new, lambda: mutating.of_tables(TABLES))
