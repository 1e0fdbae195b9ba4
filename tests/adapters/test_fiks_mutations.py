"""Every check of a package and its headers is needed: each is taken out in turn, and the tables notice."""

from __future__ import annotations

import io
import warnings
import zipfile
from types import ModuleType

import pytest

from adapters.fiks import headers, message, package, receipts
from adapters.fiks_kvittering import adapter as kvittering
from tests import mutating
from tests.adapters import test_bad_corpora, test_fiks

PACKAGE, HEADERS, MESSAGE, RECEIPTS = package, headers, message, receipts

MUTATIONS: list[tuple[ModuleType, str, str]] = [
    (PACKAGE, "if not 1 < len(entries) <= MOST_FILES:", "if False:"),
    (PACKAGE, "if not _NAME.fullmatch(entry.orig_filename):", "if False:"),
    (PACKAGE, "elif entry.filename.casefold() in seen:", "elif False:"),
    (PACKAGE, "elif entry.filename.casefold() in seen:", "elif entry.filename in seen:"),
    (PACKAGE, "if entry.flag_bits & _ENCRYPTED:", "if False:"),
    (PACKAGE, "if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):", "if False:"),
    (PACKAGE, "if first.filename != _MIMETYPE or first.header_offset or", "if first.header_offset or"),
    (PACKAGE, "or first.header_offset or not body", "or not body"),
    (PACKAGE, "        if left < 0:", "        if False:"),
    (PACKAGE, "        left -= len(content)\n", ""),
    (PACKAGE, "    if manifest is None:", "    if False:"),
    (PACKAGE, "if algorithm != _SHA256:", "if False:"),
    (PACKAGE, "if name in declared or name not in files:", "if name not in files:"),
    (PACKAGE, "if name in declared or name not in files:", "if name in declared:"),
    (PACKAGE, "elif name not in declared and not", "elif False and not"),
    (PACKAGE, "if name in declared and declared[name] != _digest(content):", "if False:"),
    (PACKAGE, "if files.pop(_MIMETYPE) != MEDIA_TYPE.encode():", "if files.pop(_MIMETYPE) == b'':"),
    (PACKAGE, "if package.comment not in _COMMENTS or not end", "if not end"),
    (PACKAGE, 'not in _COMMENTS or not end.startswith(b"PK\\x05\\x06"):', "not in _COMMENTS:"),
    (PACKAGE, "[-_END_BYTES - len(package.comment) :]", "[-_END_BYTES:]"),
    (PACKAGE, '(b"", b"mimetype=" + MEDIA_TYPE.encode())', '(b"",)'),
    (PACKAGE, "|manifest\\.xml)", ")"),
    (PACKAGE, "|manifest\\.xml)", "|manifest\\..*)"),
    (PACKAGE, ', "{http://uri.etsi.org/2918/v1.2.1#}"', ""),
    (PACKAGE, ', "{http://uri.etsi.org/02918/v1.1.1#}"', ""),
    (PACKAGE, "name.casefold() == _MANIFEST.casefold()", "name == _MANIFEST"),
    (PACKAGE, "if not files or len(files) > MOST_FILES - 2 or not all", "if not all"),
    (PACKAGE, "or not all(_NAME.fullmatch(name) for name in files):", ":"),
    (PACKAGE, "if not _PASSED_OVER.fullmatch(name)}", "}"),
    (HEADERS, "if key in own and moment is None:", "if False:"),
    (HEADERS, "if span < timedelta(seconds=1):", "if False:"),
    (HEADERS, "and not timedelta(0) <= until - sent - span < timedelta(seconds=1)", "and False"),
    (HEADERS, "return good_until(given) <= now", "return good_until(given) < now"),
    (HEADERS, "else DEFAULT_TTL)", "else timedelta(0))"),
    (HEADERS, "if org else NOBODY", "if org else str(org)"),
    (MESSAGE, "if FILE not in files or not {*files} <= {FILE, PAYLOAD}:", "if FILE not in files:"),
    (MESSAGE, "        if taken:\n", "        if False:\n"),
    (MESSAGE, "if again != record:", "if False:"),
    (MESSAGE, ' or good_until(given).isoformat()', ""),
    (MESSAGE, '"sendt": to_microseconds(str(own["sendt"]))', '"sendt": own["sendt"]'),
    (MESSAGE, "to_microseconds(str(until))", "until"),
    (MESSAGE, 'str(own[name]).removeprefix("0192:")', "own[name]"),
    (RECEIPTS, "    if refused is None:\n        return RECEIVED\n", "    if refused is None:\n        return FAILED\n"),
    (RECEIPTS, 'if refused.code == "receive.expired":', "if False:"),
    (RECEIPTS, "if refused.code in _NOT_FOUND:", "if False:"),
    (RECEIPTS, "return INVALID if refused.problem.actor in (Actor.SENDER, Actor.CASEWORKER) else FAILED", "return INVALID"),
    (RECEIPTS, "(Actor.SENDER, Actor.CASEWORKER)", "(Actor.SENDER,)"),
    (RECEIPTS, "if not isinstance(called, str) or not _ID.fullmatch(called):", "if False:"),
    (RECEIPTS, 'and headers["MeldingType"] != TOO_LATE', ""),
    (kvittering, "if kind == _OTHER or name not in _ERROR", ""),
]  # one row per case # fmt: skip


def _twice() -> None:
    """Needs no fixture, so that a table may hold it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test_fiks.test_the_same_name_twice_is_refused()


def _others() -> list[mutating.Case]:
    own = vars(test_fiks)
    names = [
        n for n in own if n.startswith("test_") and "twice" not in n and not hasattr(own[n], "hypothesis")
    ]
    plain = [own[n] for n in names if not own[n].__code__.co_argcount]
    return [_twice, *plain]


def _cases() -> list[mutating.Case]:
    tables = [case for case in mutating.cases(test_fiks) if case.__code__.co_name == "<lambda>"]
    return [*_others(), *tables, *mutating.cases(test_bad_corpora)]


def test_unbroken_the_tables_hold() -> None:
    for case in _others():
        case()
    assert zipfile.is_zipfile(io.BytesIO(test_fiks.zipped(test_fiks.GOOD)))


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@mutating.each(MUTATIONS)
def test_a_check_that_is_taken_out_is_noticed(where: ModuleType, old: str, new: str) -> None:
    mutating.expect_noticed(where, old, new, _cases)
