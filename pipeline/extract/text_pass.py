"""The text pass: turns a batch of raw records into clean documents, signals and signatures; reads each text once.

In: batches of schema `pipeline.readers.records.RAW`. Out: `PassedBatch`, row-aligned batches of schemas `DOCUMENTS`,
`signal_schema`, `signature_schema` and `pipeline.text.line_hashes.LINES`, in the order of the input, without records
that contain only white space. A row depends only on its own record and the settings, not on how records are batched.

The order: the text is normalised; then personal information and names of persons are found, counted and hashed, and
masked where the manifest says so. The result is the document's text, from which its id, signals, language and signature
are computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from dedup.signature_settings import SignatureSettings, to_metadata
from dedup.signing import Signing, make_signing, sign_texts
from manifests.corpus import TextSettings
from manifests.repeated_lines import Normalisation
from pipeline.extract.settings import ExtractJob
from pipeline.losses import Tally
from pipeline.schemas import DOCUMENTS
from pipeline.text.bad_word_lists import Matcher, count_bad_words, load_matcher
from pipeline.text.factual.model import Model as FactualModel
from pipeline.text.factual.model import load_model as load_factual_model
from pipeline.text.factual.model import scores as factual_scores
from pipeline.text.language.identify import identify
from pipeline.text.line_hashes import line_hashes
from pipeline.text.normalise import document_ids, normalise, text_buffers
from pipeline.text.perplexity.score import Scorer, load_scorer, perplexities
from pipeline.text.personal import KINDS, counts, find_spans, mask
from pipeline.text.personal.business import count_business_marks
from pipeline.text.personal.name_rows import NAMES_IN_ROW, names_in_row
from pipeline.text.personal.names import find_names
from pipeline.text.personal.values import BUSINESS, VALUES, personal_values
from pipeline.text.signal_columns import BAD_WORDS, FACTUAL, PERPLEXITY
from pipeline.text.signals import SIGNALS, compute
from pipeline.text.sites import sites
from pipeline.text.urls import without_url_credentials

ALL_SIGNALS = pa.schema(
    [
        *SIGNALS,
        pa.field("language", pa.dictionary(pa.int16(), pa.string()), nullable=False),
        pa.field("language_score", pa.float32(), nullable=False),
        *[pa.field(f"spans_{kind}", pa.int32(), nullable=False) for kind in KINDS],
        BUSINESS,
        NAMES_IN_ROW,
        VALUES,
    ]
)


@dataclass(frozen=True)
class TextPass:
    """Settings and loaded models of the pass, made once per task from the step's settings.

    Attributes:
        signing: how signatures are made; None if none are.
        bad_words: matchers by language; None if no list is given, and then the column is missing.
        scorers: perplexity models by language; None if no model is given, and then the column is missing.
        sentences: what a scorer takes as a sentence.
        factual: None if no model is given, and then the column is missing.
        lines: how lines are changed before they are hashed; None if they are not compared.
    """

    text: TextSettings
    mask: tuple[str, ...]
    signing: Signing | None
    language_characters: int
    bad_words: Mapping[str, Matcher] | None
    scorers: Mapping[str, Scorer] | None
    sentences: Literal["document", "lines"]
    factual: FactualModel | None
    lines: Normalisation | None


@dataclass(frozen=True)
class PassedBatch:
    """One batch after the pass.

    Attributes:
        empty: number of records with only white space, which are left out.
        text_bytes: bytes of UTF-8 text in `documents`.
        signatures: None if near duplicates are not searched for.
        lines: None if lines are not compared.
        lost: what the pass removed from the documents.
    """

    empty: int
    text_bytes: int
    documents: pa.RecordBatch
    signals: pa.RecordBatch
    signatures: pa.RecordBatch | None
    lines: pa.RecordBatch | None
    lost: Tally


def signal_schema(*, bad_words: bool, perplexity: bool, factual: bool = False) -> pa.Schema:
    """Schema of a signals part."""
    return pa.schema([*ALL_SIGNALS, *[BAD_WORDS] * bad_words, *[PERPLEXITY] * perplexity, *[FACTUAL] * factual])


def signature_schema(settings: SignatureSettings) -> pa.Schema:
    """Schema of a signatures part; its metadata say what the values depend on."""
    item = pa.field("item", pa.uint32(), nullable=False)
    return pa.schema(
        [
            pa.field("signature", pa.list_(item, settings.values), nullable=False),
            pa.field("shingles", pa.int32(), nullable=False),
        ],
        metadata=to_metadata(settings),
    )


def make_text_pass(job: ExtractJob) -> TextPass:
    """The pass that the settings of the extract step describe."""
    settings = job.settings
    signing = None
    if settings.signatures is not None:
        signing = make_signing(settings.signatures)
    matchers = None
    if settings.bad_words is not None:
        matchers = {
            language: load_matcher(job.bad_word_lists[language], language, digest)
            for language, digest in settings.bad_words.items()
        }
    scorers = None
    if settings.perplexity is not None and job.perplexity_models is not None:
        scorers = {
            language: load_scorer(
                job.perplexity_models.models[language].ngrams,
                job.perplexity_models.models[language].sentencepiece,
                (digests.ngrams, digests.sentencepiece),
            )
            for language, digests in settings.perplexity.models.items()
        }
    return TextPass(
        text=settings.text,
        mask=settings.mask,
        signing=signing,
        language_characters=settings.language_characters,
        bad_words=matchers,
        scorers=scorers,
        sentences="document" if settings.perplexity is None else settings.perplexity.sentences,
        factual=(
            None
            if settings.factual is None or job.factual_model is None
            else load_factual_model(job.factual_model, settings.factual)
        ),
        lines=settings.lines,
    )


def run_text_pass(records: pa.RecordBatch, text_pass: TextPass) -> PassedBatch:
    """One batch of raw records through the pass."""
    texts = normalise(records["text"], text_pass.text)
    filled = pc.greater(pc.binary_length(texts), 0)
    empty = records.num_rows - int(pc.sum(filled).as_py() or 0)
    if empty:
        records, texts = records.filter(filled), texts.filter(filled)
    urls = without_url_credentials(records["url"])
    site_names = sites(urls.to_pylist())
    buffers = text_buffers(texts)
    spans, names = find_spans(*buffers), find_names(*buffers)
    span_counts = counts(spans, len(texts))
    marks = count_business_marks(*buffers)
    rows = names_in_row(*buffers, names)
    values = personal_values(*buffers, spans, names, site_names)
    texts = mask(texts, spans, kinds=text_pass.mask)
    lost = Tally()
    lost.add_columns("masked_spans", {kind: span_counts[kind] for kind in text_pass.mask})
    data, offsets = text_buffers(texts)
    documents = pa.RecordBatch.from_arrays(
        [
            document_ids(texts),
            texts,
            urls,
            pa.array(site_names, pa.string()),
            without_url_credentials(records["name"]),
            records["offset"],
        ],
        schema=DOCUMENTS,
    )
    signing = text_pass.signing
    in_walk = None if signing is None else signing.walk_permutations
    measured = compute(data, offsets, permutations=in_walk, ngram=1 if signing is None else signing.settings.ngram)
    codes, scores = identify(data, offsets, characters=text_pass.language_characters)
    columns = [
        *measured.signals.columns,
        pa.array(codes, pa.string()).dictionary_encode().cast(ALL_SIGNALS.field("language").type),
        pa.array(scores, pa.float32()),
        *[pa.array(span_counts[kind], pa.int32()) for kind in KINDS],
        pa.array(marks),
        pa.array(rows),
        values,
    ]
    if text_pass.bad_words is not None:
        columns.append(pa.array(count_bad_words(data, offsets, codes, text_pass.bad_words), pa.int32()))
    if text_pass.scorers is not None:
        columns.append(perplexities(data, offsets, codes, text_pass.scorers, sentences=text_pass.sentences))
    if text_pass.factual is not None:
        columns.append(pa.array(factual_scores(data, offsets, text_pass.factual)))
    schema = signal_schema(
        bad_words=text_pass.bad_words is not None,
        perplexity=text_pass.scorers is not None,
        factual=text_pass.factual is not None,
    )
    signals = pa.RecordBatch.from_arrays(columns, schema=schema)
    signed = None
    if signing is not None:
        signatures, shingles = measured.signatures, measured.shingles
        if in_walk is None:
            signatures, shingles = sign_texts(data, offsets, signing)
        schema = signature_schema(signing.settings)
        packed = pa.FixedSizeListArray.from_arrays(
            pa.array(signatures.reshape(-1)), type=schema.field("signature").type
        )
        signed = pa.RecordBatch.from_arrays([packed, pa.array(shingles, pa.int32())], schema=schema)
    lines = None if text_pass.lines is None else line_hashes(data, offsets, normalisation=text_pass.lines)
    return PassedBatch(empty, int(offsets[-1] - offsets[0]), documents, signals, signed, lines, lost)
