"""Every check of the JSON profiles is needed: each is taken out in turn, and the bad corpora notice."""

from __future__ import annotations

import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from adapters import digisos, json_places, json_profile
from hub.errors import HubError
from tests import mutating
from tests.adapters import test_bad_corpora, test_json_places
from tests.adapters.digisos_records import FILES
from tests.adapters.test_digisos import EXAMPLES

PROFILE, PLACES, DIGISOS = json_profile, json_places, digisos

MUTATIONS: list[tuple[ModuleType, str, str]] = [
    (PROFILE, 'return None if isinstance(given, bool) else "type"', "return None"),
    (PROFILE, 'return None if _whole(given) is not None else "type"', "return None"),
    (PROFILE, 'return None if sound else "type"', "return None"),
    (PROFILE, 'if not isinstance(given, str):\n            return "type"', 'if False:\n            return "type"'),
    (PROFILE, 'return None if given in self.only else "code"', "return None"),
    (PROFILE, 'return None if _DATE.fullmatch(given) else "date"', "return None"),
    (PROFILE, 'return None if _MOMENT.fullmatch(given) else "moment"', "return None"),
    (PROFILE, "if self.shape is not None and not self.shape.fullmatch(given):", "if False:"),
    (PROFILE, 'return None if given == self.text else "fixed"', "return None"),
    (PROFILE, "        elif part.required:\n            yield", "        elif False:\n            yield"),
    (PROFILE, "if _applies(rule, given) and rule.other not in given:", "if False:"),
    (PROFILE, "elif rule.key in given and not _among(_get(given, rule.other), rule.values):", "elif False:"),
    (PROFILE, "    if len(given) < items.least:", "    if False:"),
    (PROFILE, "(not rule.values or given[rule.key] in rule.values)", "True"),
    (PROFILE, 'return value is None or value in values', "return value in values"),
    (PROFILE, "int(given) if given == given.to_integral_value() else None", "int(given)"),
    (PROFILE, "isinstance(given, int) and not isinstance(given, bool) else None", "isinstance(given, int) else None"),
    (PROFILE, "case Kind.TEXT if isinstance(given, str) and not given.strip():", "case Kind.TEXT if False:"),
    (PROFILE, 'return _GRADED[bool(given)]', "return _GRADED[False]"),
    (PROFILE, "return made or None\n", "return made\n"),
    (PROFILE, "return [item for item in read if item is not None] or None", "return list(read)"),
    (PROFILE, 'return "" if self.kind is Kind.TEXT and self.shape is None else None', "return None"),
    (PROFILE, "return [] if not self.least else None", "return None"),
    (PROFILE, "                if blank is not None:\n                    made[rule.other] = blank\n", "                pass\n"),
    (PROFILE, "            number = said[number]\n", ""),
    (PLACES, "self._begins = end.end()", "self._begins = end.start()"),
    (PLACES, "open_paths[-1] = (above, index + 1)", "open_paths[-1] = (above, index)"),
    (PLACES, 'above = _LAST.sub("", path)', 'above = ""'),
    (DIGISOS, "if wrong or self.parse(text.encode()) != record:", "if False:"),
    (DIGISOS, "if record.type != self.type:", "if False:"),
]  # one row per case # fmt: skip


def _written(name: str, **changes: Any) -> bytes:
    document = json.loads(EXAMPLES[name].read_bytes())
    for path, value in changes.items():
        here = document
        *way, last = path.split("__")
        for step in way:
            here = here[int(step) if step.isdigit() else step]
        here[last] = value
    file = FILES[name]
    return file.render(file.parse(json.dumps(document).encode()))


BARN = "data__familie__forsorgerplikt__ansvar__0__barn__harDiskresjonskode"
GIFT = {"kilde": "bruker", "status": "gift"}
NOBODY = {"navn": {"fornavn": "", "mellomnavn": "", "etternavn": " "}}


def _table() -> None:
    """What is written for what is said without words."""
    soknad = "digisos-soknad"
    plain = json.loads(_written(soknad))
    assert plain["data"]["personalia"]["navn"]["mellomnavn"] == ""
    assert "oversikt" not in plain["data"]["okonomi"]
    assert "adresselinjer" not in plain["data"]["personalia"]["folkeregistrertAdresse"]
    assert plain["kompatibilitet"] == []
    comment = {"forhold": [], "kommentarTilArbeidsforhold": {"verdi": "Sluttet."}}
    assert json.loads(_written(soknad, data__arbeid=comment))["data"]["arbeid"] == comment
    gift = json.loads(_written(soknad, data__familie__sivilstatus={**GIFT, "ektefelle": NOBODY}))
    assert gift["data"]["familie"]["sivilstatus"]["ektefelle"] == {
        "navn": {**NOBODY["navn"], "etternavn": ""}
    }
    assert b'"harDiskresjonskode":true' in _written(soknad, **{BARN: True})
    assert b'"antallPersoner":2}' in _written(
        soknad, data__bosituasjon={"antallPersoner": 2.0, "kilde": "bruker"}
    )
    assert b'"kilde":"system"' in _written(
        soknad, data__familie__sivilstatus={"kilde": "system", "status": "ugift"}
    )
    single = {"kilde": "bruker", "status": "samboer", "borSammenMed": True}
    assert b'"borSammenMed":true' in _written(soknad, data__familie__sivilstatus=single)
    record = FILES[soknad].parse(EXAMPLES[soknad].read_bytes())
    unknown = replace(record, fields={**record.fields, "ukjent": "x"})
    for file, wrong in ((FILES["digisos-soker"], record), (FILES[soknad], unknown)):
        with pytest.raises(HubError) as refused:
            file.render(wrong)
        assert (refused.value.code, refused.value.findings) == ("render.incomplete", ())


def _cases() -> list[mutating.Case]:
    return [_table, *mutating.cases(test_bad_corpora), *mutating.cases(test_json_places)]


def test_unbroken_the_tables_hold() -> None:
    assert not mutating.noticed(_cases())


@mutating.each(MUTATIONS)
def test_a_check_that_is_taken_out_is_noticed(where: ModuleType, old: str, new: str) -> None:
    mutating.expect_noticed(where, old, new, _cases)
