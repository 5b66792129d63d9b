"""Reasons given before duplicates are searched for."""

import numpy as np
import pyarrow as pa

from manifests.corpus import Languages, PersonalInformation
from manifests.filters import REASONS
from pipeline.decide.site_rule import document_reasons, site_reasons, spans_of
from pipeline.decide.verdicts import filter_reasons
from pipeline.filters.reasons import code_of


def languages(*codes, scores):
    return pa.table({"language": pa.array(codes).dictionary_encode(), "language_score": pa.array(scores, pa.float32())})


def test_language_and_score() -> None:
    signals = languages("en", "de", "en", "fr", scores=[0.9, 0.9, 0.2, 0.9])
    kept = filter_reasons(signals, filters=(), languages=Languages(keep=["en", "fr"], min_score=0.5)).codes
    assert [REASONS[code] for code in kept] == ["kept", "language", "language", "kept"]
    assert not filter_reasons(signals, filters=(), languages=Languages()).codes.any()


def test_a_site_marks_only_what_is_left() -> None:
    reasons = np.array([0, code_of("language"), 0, 0], np.uint8)
    sites = pa.chunked_array([["bad.org", "bad.org", "good.org", None]])
    marked = site_reasons(reasons, sites, pa.array(["bad.org"]))
    assert [REASONS[code] for code in marked] == ["personal_information_site", "language", "kept", "kept"]
    assert site_reasons(reasons, sites, pa.array([], pa.string())).tolist() == reasons.tolist()


def test_only_the_kinds_of_the_rule_count() -> None:
    signals = pa.table({"spans_email": pa.array([1, 2], pa.int32()), "spans_ip": pa.array([10, 20], pa.int32())})
    assert spans_of(signals, PersonalInformation(kinds=["email"])).tolist() == [1, 2]
    assert spans_of(signals, PersonalInformation(kinds=["email", "ip"])).tolist() == [11, 22]


def test_documents_with_too_many_spans_are_marked_unless_they_have_a_reason() -> None:
    signals = pa.table({"spans_email": [0, 3, 6, 6], "spans_phone": [5, 3, 0, 0], "spans_ip": [9, 0, 0, 0]})
    rule = PersonalInformation(kinds=["email", "phone"], max_spans_per_document=5)
    reasons = np.array([0, 0, 0, 1], np.uint8)
    marked = code_of("personal_information_document")
    assert document_reasons(reasons, signals, rule).tolist() == [0, marked, marked, 1]
    assert document_reasons(reasons, signals, PersonalInformation(kinds=["email"])).tolist() == reasons.tolist()
    assert document_reasons(reasons, signals, None).tolist() == reasons.tolist()
