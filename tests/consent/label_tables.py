"""Builds the oracles of the label side's mutations: per module the tables that stand beside it, the
fastest first, and a module that keeps its compiled terms while another way to read a text is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import adapters.narrative
import consent.archives
import consent.attachments
import consent.code_lists
import consent.combinations
import consent.evaluation
import consent.explain
import consent.freetext
import consent.labels
import consent.language
import consent.payloads
import consent.pdfs
import consent.plain
from tests import mutating
from tests.adapters import test_narrative
from tests.consent import (
    test_archives,
    test_attachments,
    test_evaluation,
    test_explain,
    test_freetext,
    test_labels,
    test_labels_in_context,
    test_language,
    test_normalise,
    test_payloads,
    test_pdfs,
    test_plain,
)

TEXT, LANGUAGE, LABELS = consent.freetext, consent.language, consent.labels
CODES, SIGNS, PACKED = consent.code_lists, consent.combinations, consent.payloads
FILES, PARTS, PDFS = consent.attachments, consent.archives, consent.pdfs
ALONE, TOLD, PLAIN = consent.evaluation, consent.explain, consent.plain
NARRATIVE = adapters.narrative

SLOW = frozenset(
    (
        "test_labels_only_ever_grow_and_no_leaf_is_lost",
        "test_a_record_of_two_kilobytes_is_labelled_fast",
        "test_time_grows_with_the_length",
    )
)
"""They measure the time, or draw their rows."""


def _tests_of(table: ModuleType) -> list[Callable[..., Any]]:
    tests = [test for name, test in vars(table).items() if name.startswith("test_") and name not in SLOW]
    return [test for test in tests if callable(test)]


TABLES: dict[ModuleType, list[Callable[..., Any]]] = {
    TEXT: [
        *_tests_of(test_normalise),
        test_freetext.test_only_norwegian_and_english_in_latin_letters_are_readable,
        test_freetext.test_a_name_needs_no_known_language_but_known_letters,
        test_freetext.test_few_words_prove_nothing_and_markup_is_no_word,
        test_freetext.test_a_term_is_found_with_its_strength,
        test_freetext.test_a_false_friend_is_no_hit,
        test_freetext.test_a_disguise_is_seen_through,
        test_freetext.test_two_terms_side_by_side_are_both_found,
    ],
    LANGUAGE: _tests_of(test_language),
    LABELS: [*_tests_of(test_labels_in_context), *_tests_of(test_labels)],
    CODES: [*_tests_of(test_labels), *_tests_of(test_labels_in_context)],
    SIGNS: _tests_of(test_labels_in_context),
    PACKED: _tests_of(test_payloads),
    FILES: [
        test_attachments.test_what_is_packed_in_a_text_is_read,
        test_attachments.test_what_is_packed_and_cannot_be_read_is_told,
        test_attachments.test_an_ordinary_text_holds_nothing,
        test_attachments.test_only_prose_has_no_long_words,
        test_attachments.test_many_signs_without_a_shape_in_a_row_are_unreadable,
        test_attachments.test_a_text_is_packed_so_deep_and_no_deeper,
        test_attachments.test_a_file_is_read_to_the_letter,
        test_attachments.test_what_cannot_be_read_whole_is_unreadable,
        test_attachments.test_a_file_must_be_what_it_is_said_to_be,
        test_attachments.test_the_words_of_a_file_are_found,
        test_attachments.test_a_file_has_so_many_parts_and_no_more,
        test_archives.test_the_header_of_a_gzip_is_read,
        test_pdfs.test_the_words_of_a_pdf_are_found,
    ],
    PARTS: _tests_of(test_archives),
    PDFS: [
        *_tests_of(test_pdfs),
        test_attachments.test_what_cannot_be_read_whole_is_unreadable,
        test_attachments.test_the_words_of_a_file_are_found,
    ],
    ALONE: _tests_of(test_evaluation),
    TOLD: _tests_of(test_explain),
    PLAIN: _tests_of(test_plain),
    NARRATIVE: _tests_of(test_narrative),
}


def oracle(where: ModuleType, tmp_path: Path) -> Iterator[mutating.Case]:
    for test in TABLES[where]:
        yield from mutating.rows(test, tmp_path=tmp_path)


@pytest.fixture(autouse=True)
def terms_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutation makes a module forget what it remembers; to compile the terms takes seconds."""
    monkeypatch.setattr(TEXT, "_matcher", partial(_identity, TEXT._matcher()))


def _identity(value: object) -> object:
    return value


def check_tables(where: ModuleType, tmp_path: Path) -> None:
    """They hold for what is not mutated."""
    for case in oracle(where, tmp_path):
        case()
