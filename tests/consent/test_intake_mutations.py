"""Removing any single check of the consent desk, of the files of a policy and of numbers makes a case fail."""

from __future__ import annotations

from types import ModuleType

import pytest

from consent import intake, policy_files, receipt, strict_yaml, vector_answers, vector_files
from consent.strict_yaml import Plain
from mappings import strict_yaml as mapping_yaml
from tests import mutating
from tests.consent import (
    test_intake,
    test_receipt,
    test_rows,
    test_strict_yaml,
    test_vectors,
)
from tests.mappings import test_strict_yaml as test_mapping_yaml

DESK, REC, Y, MY, P = intake, receipt, strict_yaml, mapping_yaml, policy_files
VF, VA = vector_files, vector_answers

MUTATIONS: list[mutating.Mutation] = [
    # what the desk does not record
    (DESK, 'if said["slag"] != "deling":', "if False:"),
    (DESK, "*_unknown_words(scopes), ", ""),
    (DESK, "*_backwards(scopes), ", ""),
    (DESK, "*_twice(document)]", "]"),
    (DESK, "[scope for scope in scopes if scope.permits]", "list(scopes)"),
    (DESK, "[scope for scope in scopes if scope.permits]", "scopes[:1] if scopes[0].permits else []"),
    (DESK, 'if permissions and not said.get("gitt_av"):', "if False:"),
    (DESK, 'if permissions and not said.get("gitt_av"):', 'if not said.get("gitt_av"):'),
    (DESK, 'if permissions and datetime.fromisoformat', "if datetime.fromisoformat"),
    (DESK, "> at + _CLOCKS:", "> at:"),
    (DESK, "> at + _CLOCKS:", ">= at + _CLOCKS:"),
    (DESK, "if permissions and (findings := list(_form(said))):", "if findings := list(_form(said)):"),
    (DESK, "if permissions and (findings := list(_form(said))):", "if findings := []:"),
    (DESK, "if recorder in CONTROL_SECTORS and Category.SUBSTANCE_USE in told:", "if Category.SUBSTANCE_USE in told:"),
    (DESK, "if recorder in CONTROL_SECTORS and Category.SUBSTANCE_USE in told:", "if recorder in CONTROL_SECTORS:"),
    (DESK, "if recorder in CONTROL_SECTORS and Category.SUBSTANCE_USE in told:", "if False:"),
    *((DESK, '_INHERITED = ("avsendere", "mottakere", "formal", "kategorier", "fra", "til")', f"_INHERITED = {tuple(n for n in _ALL if n != name)!r}") for _ALL in [("avsendere", "mottakere", "formal", "kategorier", "fra", "til")] for name in _ALL),
    (DESK, 'yield from _exceptions(document, rule, "", not permits)', "yield from ()"),
    (DESK, "yield from _exceptions(own, said, here, not permits)", "yield from ()"),
    (DESK, "yield from _exceptions(own, said, here, not permits)", "yield from _exceptions(own, said, here, permits)"),
    (DESK, "own.get(name) or rule.get(name)", "own.get(name)"),
    (DESK, "        if not scope.said.get(name):\n", "        if False:\n"),
    (DESK, "if start and end and date.fromisoformat(end) < date.fromisoformat(start):", "if False:"),
    (DESK, "date.fromisoformat(end) < date.fromisoformat(start)", "date.fromisoformat(end) <= date.fromisoformat(start)"),
    (DESK, '(("fra", "til"), ("data_fra", "data_til"))', '(("fra", "til"),)'),
    (DESK, '(("fra", "til"), ("data_fra", "data_til"))', '(("data_fra", "data_til"),)'),
    (DESK, "if scope.at and not any(", "if False and not any("),
    (DESK, '(*_INHERITED, "data_fra", "data_til")', "_INHERITED"),
    (DESK, 'if said.get("erstatter") == said["serie"]:', "if False:"),
    (DESK, 'for name in ("signert", "forklart"):', 'for name in ("signert",):'),
    (DESK, 'for name in ("signert", "forklart"):', 'for name in ("forklart",):'),
    (DESK, "        if said[name] is not True:\n", "        if said[name] is False:\n"),
    (DESK, '    if not said.get("form"):\n', "    if False:\n"),
    (DESK, '    if not said.get("tekstversjon"):\n', "    if False:\n"),
    (DESK, "if word not in parties and not organisation and word != ANY:", "if False:"),
    (DESK, "organisation = is_orgnr(word)", "organisation = len(word) == 9 and word.isdecimal() and word.isascii()"),
    (DESK, "if word not in parties and not organisation and word != ANY:", "if word not in parties and not organisation:"),
    (DESK, "if word not in {member.value for member in known} or word == Category.UNKNOWN:", "if word == Category.UNKNOWN:"),
    (DESK, "if word not in {member.value for member in known} or word == Category.UNKNOWN:", "if word not in {member.value for member in known}:"),
    # withdrawals
    (DESK, "if (series is None) == (scope is None):", "if series is None and scope is None:"),
    (DESK, "if (series is None) == (scope is None):", "if series is not None and scope is not None:"),
    (DESK, 'if scope is not None and record.get("signert") is not True:', "if False:"),
    (DESK, 'if scope is not None and record.get("signert") is not True:', 'if record.get("signert") is not True:'),
    (DESK, "if scope == ALL_REFUSALS and recorder in CONTROL_SECTORS:", "if scope == ALL_REFUSALS:"),
    (DESK, "if scope == ALL_REFUSALS and recorder in CONTROL_SECTORS:", "if scope and recorder in CONTROL_SECTORS:"),
    # what the decision gets to read
    *((DESK, f"_words(document.get(\"{name}\"))", "None") for name in ("avsendere", "mottakere", "formal", "kategorier")),
    *((DESK, f"_words(said.get(\"{name}\"))", "None") for name in ("avsendere", "mottakere", "formal", "kategorier")),
    *((DESK, f"_day(said.get(\"{name}\"))", "None") for name in ("gyldig_fra", "gyldig_til", "data_fra", "data_til", "fra", "til")),
    (DESK, 'signed=said["signert"] is True', 'signed=bool(said["signert"])'),
    (DESK, 'explained=said["forklart"] is True', 'explained=bool(said["forklart"])'),
    (DESK, '"sharing" if said["slag"] == "deling" else "programme"', '"sharing"'),
    (DESK, '"verge": "guardian"', '"verge": "person"'),
    (DESK, '    "": "unknown",', '    "": "person",'),
    (DESK, "_exception(exception, permits=not permits,", "_exception(exception, permits=permits,"),
    (DESK, "_exception(inner, permits=not permits,", "_exception(inner, permits=permits,"),
    # the receipt
    (REC, "for code in sorted(codes or ())", "for code in reversed(sorted(codes or ()))"),
    (REC, "said.categories is None or bool(said.categories & SENSITIVE)", "bool((said.categories or frozenset()) & SENSITIVE)"),
    (REC, "said.categories is None or bool(said.categories & SENSITIVE)", "said.categories is None"),
    *((REC, f"        Category.{name}.value,\n", "") for name in ("SUBSTANCE_USE", "MENTAL_HEALTH", "SOMATIC_HEALTH", "OFFENCE", "CONTROL")),
    (REC, "        ANY,\n", ""),
    (REC, '{**recorded, "withdrawn_at": None}', "dict(recorded)"),
    (REC, ' if key != "permissions_ended_at"}', "}"),
    (REC, "sort_keys=True", "sort_keys=False"),
    (REC, 'said.language or "nb"', 'said.language or "en"'),
    (REC, "if text.id == said.text_version]", "]"),
    (REC, "if text.language == wanted)", ")"),
    (REC, "if made[key] is not None]", "]"),
    (REC, '    if made["sensitive"]:\n', "    if True:\n"),
    (REC, '    if text["words"]:\n', "    if True:\n"),
    # YAML
    (Y, "except yaml.MarkedYAMLError as fault:", "except ZeroDivisionError as fault:"),
    (Y, "except (yaml.YAMLError, RecursionError, ValueError):  #", "except (yaml.YAMLError, ValueError):  #"),
    (Y, "except (yaml.YAMLError, RecursionError, ValueError):  #", "except (yaml.YAMLError, RecursionError):  #"),
    (Y, "except (yaml.YAMLError, RecursionError, ValueError):  #", "except (RecursionError, ValueError):  #"),
    (Y, "if root is not None and _has_alias(root, set()):", "if False:"),
    (Y, "[part for pair in node.value for part in pair]", "[pair[1] for pair in node.value]"),
    (Y, "[part for pair in node.value for part in pair]", "[pair[0] for pair in node.value]"),
    (Y, "        children = list(node.value)\n", "        pass\n"),
    (Y, 'if key_node.tag != f"{_TAG}str" or', "if"),
    (Y, "        if key in result:\n", "        if False:\n"),
    (Y, 'if any("\\ud800" <= letter <= "\\udfff" for letter in value):', "if False:"),
    (Y, 'case "null" if value in {"null", ""}:', 'case "null":'),
    (Y, 'case "bool" if value in {"true", "false"}:', 'case "bool":'),
    (Y, 'case "int" if _INTEGER.fullmatch(value):', 'case "int" if value.isdigit():'),
    (Y, "            except ValueError:\n                pass\n", "            except ValueError:\n                return date.min\n"),
    (Y, "for key in sorted(raw.keys() - keys):", "for key in ():"),
    (Y, "for key in sorted(keys - optional - raw.keys()):", "for key in sorted(keys - raw.keys()):"),
    (Y, "for key in sorted(keys - optional - raw.keys()):", "for key in ():"),
    (Y, "if isinstance(value, str) or not isinstance(value, Sequence):", "if not isinstance(value, Sequence):"),
    (Y, "and value.strip() == value and (value or key not in raw):", "and (value or key not in raw):"),
    (Y, "and value.strip() == value and (value or key not in raw):", "and value.strip() == value:"),
    (Y, "if key in raw and (not values or not all(", "if key in raw and (not all("),
    (Y, "isinstance(v, str) and v.strip() for v in values)", "isinstance(v, str) for v in values)"),
    (Y, "isinstance(value, int) and not isinstance(value, bool) and value >= 0", "isinstance(value, int) and value >= 0"),
    (Y, "isinstance(value, int) and not isinstance(value, bool) and value >= 0", "isinstance(value, int) and not isinstance(value, bool)"),
    (Y, "if isinstance(value, date) or value is None:", "if True:"),
    (Y, "        if isinstance(value, bool):\n            return value\n", "        return bool(value)\n"),
    (Y, "        if key in raw:\n            self.fault(f\"{at}.{key}\".lstrip(\".\"), \"code\"", "        if False:\n            self.fault(f\"{at}.{key}\".lstrip(\".\"), \"code\""),
    (Y, "            if value not in known:\n", "            if False:\n"),
    (Y, "if len(set(values)) != len(values):", "if False:"),
    (MY, "if node.style in _QUOTED:", "if False:"),
    (MY, "if _TRAP.fullmatch(text) and not _DATE.fullmatch(text):", "if False:"),
    (MY, "if not isinstance(key, str):", "if False:"),
    (MY, "elif key in read:", "elif False:"),
    (MY, "    if loader.findings:\n", "    if False:\n"),
    (MY, "    if not isinstance(read, dict):\n", "    if False:\n"),
    # the files of a policy
    (P, "if policy.findings:", "if False:"),
    (P, "        if not files:\n", "        if False:\n"),
    (P, "_same_days(one, other) and new.known_from <= old.known_from", "new.known_from <= old.known_from"),
    (P, "        self._once()\n", ""),
    (P, "        self._gaps()\n", ""),
    (P, "        self._both_forms()\n", ""),
    (P, "and _collide(one, other):", "and False:"),
    (P, '        if not rows:\n', "        if False:\n"),
    (P, 'if list(self.read.texts(root, name, "holds")) != [row.ref for row in rows]:', "if False:"),
    (P, 'if found.keys() - {"request_on_file"} and effect is not Effect.CONSENT:', "if False:"),
    (P, "if request is not (effect is Effect.DUTY_ON_REQUEST):", "if False:"),
    (P, "if not _ART6.fullmatch(gdpr.art6):", "if False:"),
    (P, '        if not raws:\n', "        if False:\n"),
    (P, "if wide and raw.get(key) == [ANY]:", "if raw.get(key) == [ANY]:"),
    (P, "if not _ID.fullmatch(row.id):", "if False:"),
    (P, "    if row.version < 1:\n", "    if False:\n"),
    (P, "if row.valid_to is not None and row.valid_to < row.valid_from:", "if False:"),
    (P, "if not prohibits and row.categories & _NEVER_NAMED:", "if False:"),
    (P, "if row.legal is Legal.OFF and not prohibits:", "if False:"),
    (P, "if any(not _LAW.fullmatch(law) for law in row.law):", "if False:"),
    (P, "if row.override is not None and row.effect is not Effect.MAY_UNLESS_OBJECTION:", "if False:"),
    (P, "    if row.gdpr is None:\n", "    if False:\n"),
    (P, "elif row.categories & _SPECIAL and row.gdpr.art9 is None:", "elif False:"),
    (P, "elif row.categories & _CRIMINAL and row.gdpr.art10 is None:", "elif False:"),
    (P, "or not pairs <= _CONTROL_PAIRS:", ":"),
    (P, "        if row.status is not Status.DRAFT:\n            yield \"approval\"", "        if False:\n            yield \"approval\""),
    (P, "elif approval.of != row.digest:", "elif False:"),
    (P, "if Effect.PROHIBIT in (one.effect, other.effect):", "if False:"),
    (P, "_same_days(one, other) and new.known_from <= old.known_from", "_same_days(one, other)"),
    (P, "        and bool(one.recipients & other.recipients)\n", ""),
    (P, "        and bool(one.categories & other.categories)\n", ""),
    (P, 'if key not in {"approval", "cases"}}', "}"),
    # numbers
    # vectors
    (VF, "    if len(found) != len(pairs):\n", "    if False:\n"),
    (VF, "        if root.get(key, value) != value:\n", "        if False:\n"),
    (VF, 'for key in sorted(root.keys() - {"note", "tz", "pack", "vectors"}):', "for key in ():"),
    (VF, "    if len(set(map(str, ids))) != len(ids):\n", "    if False:\n"),
    (VF, "for key in sorted(raw.keys() - _VECTOR_KEYS):", "for key in ():"),
    (VF, 'for key in ("id", "request", "expected", "consents"):', 'for key in ("id", "request", "expected"):'),
    (VF, 'if not isinstance(raw.get("consents", []), list | None):', "if False:"),
    (VF, "if unknown := sorted(map(str, raw.keys() - known)):", "if unknown := []:"),
    (VF, "if not isinstance(root, Mapping) or not isinstance(listed, list) or not listed:", "if not isinstance(root, Mapping) or not isinstance(listed, list):"),
    (VA, '        only_known(request, _REQUEST_KEYS, "request")\n', ""),
    (VA, '        only_known(raw, _OVERRIDE_KEYS, "request.override")\n', ""),
]  # one row per case # fmt: skip

TABLES: dict[ModuleType, tuple[ModuleType, ...]] = {
    DESK: (test_intake,),
    REC: (test_receipt,),
    Y: (test_strict_yaml,),
    MY: (test_mapping_yaml,),
    P: (test_rows,),
    VF: (test_vectors,),
    VA: (test_vectors,),
}
"""Which tables speak of a module."""


READ: dict[str, Plain] = {}


def read_once(text: str, code: str) -> Plain:
    """Reading YAML is most of what a case of a policy costs, and the cases read the same texts."""
    if text not in READ:
        READ[text] = strict_yaml.read_yaml(text, code)
    return READ[text]


@pytest.mark.parametrize("tables", sorted(set(TABLES.values()), key=str))
def test_the_tables_hold_for_what_is_not_mutated(tables: tuple[ModuleType, ...]) -> None:
    assert not mutating.noticed(mutating.of_tables(tables))


@mutating.each(MUTATIONS)
def test_a_check_taken_out_is_noticed(
    where: ModuleType, old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if where is P:
        monkeypatch.setattr(P, "read_yaml", read_once)
    mutating.expect_noticed(where, old, new, lambda: mutating.of_tables(TABLES[where]))
