"""Manifests: unknown keys, defaults, hashes, presets."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from manifests.base import load, sha256_of
from manifests.corpus import CorpusManifest, load_corpus
from manifests.errors import GristmillError
from manifests.mixture import MixtureManifest
from manifests.model import PRESETS, load_model
from manifests.run import RunManifest, load_run
from storage.files import map_file, open_stream, read_bytes

CORPUS = """
kind: corpus
version: 1
name: small
sources:
  - {name: a, format: jsonl, files: ["*.jsonl"], licence: CC0}
tokenizer: {model: t.model}
"""


def write(folder: Path, text: str, name: str = "corpus.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("line", "wanted", "hint"),
    [
        ("shard_token: 5000", "shard_token", "shard_tokens"),
        ("dedup: {minhash: {band: 3}}", "dedup.minhash.band", "bands"),
        (
            "personal_information: {max_spans_per_documents: 3}",
            "personal_information.max_spans_per_documents",
            "max_spans_per_document",
        ),
        ("personal_information: {sites: {prior_page: 3}}", "personal_information.sites.prior_page", "prior_pages"),
    ],
)
def test_unknown_key_names_the_nearest_valid_one(tmp_path, line, wanted, hint):
    with pytest.raises(GristmillError) as caught:
        load(write(tmp_path, CORPUS + line), CorpusManifest)
    assert f"{wanted}: unknown key; did you mean `{hint}`?" in str(caught.value)
    assert str(tmp_path / "corpus.yaml") in str(caught.value)


def test_unknown_key_inside_a_list_element(tmp_path):
    text = CORPUS.replace("licence: CC0", "license: CC0, licence: CC0")
    with pytest.raises(GristmillError, match=r"sources\.0\.license: unknown key; did you mean `licence`\?"):
        load(write(tmp_path, text), CorpusManifest)


def test_all_problems_are_listed_at_once(tmp_path):
    with pytest.raises(GristmillError) as caught:
        load(write(tmp_path, CORPUS + "shard_token: 1\nseed: -1\n"), CorpusManifest)
    assert "shard_token: unknown key" in str(caught.value)
    assert "seed: " in str(caught.value)


@pytest.mark.parametrize(("text", "message"), [("- a\n- b\n", "no mapping"), ("a: [", "not valid YAML")])
def test_not_a_manifest(tmp_path, text, message):
    with pytest.raises(GristmillError, match=message):
        load(write(tmp_path, text), CorpusManifest)


def test_missing_manifest(tmp_path):
    with pytest.raises(GristmillError, match="no such manifest"):
        load(tmp_path / "none.yaml", CorpusManifest)


def test_writing_a_default_down_does_not_change_the_hash(tmp_path):
    left_out = load(write(tmp_path, CORPUS), CorpusManifest)
    written = load(write(tmp_path, CORPUS + "shard_tokens: 64000000\ndedup: {exact: true}\n", "b.yaml"), CorpusManifest)
    changed = load(write(tmp_path, CORPUS + "shard_tokens: 64000001\n", "c.yaml"), CorpusManifest)
    hashes = [sha256_of(manifest.model_dump(mode="json")) for manifest in (left_out, written, changed)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_manifest_cannot_be_changed_after_loading(tmp_path):
    manifest = load(write(tmp_path, CORPUS), CorpusManifest)
    with pytest.raises(ValidationError):
        manifest.seed = 3


def test_paths_are_relative_to_the_manifest(tmp_path):
    manifest = load_corpus(write(tmp_path, CORPUS))
    assert manifest.sources[0].root == str(tmp_path)
    assert manifest.tokenizer.model == str(tmp_path / "t.model")


@pytest.mark.parametrize(
    "section",
    [
        "tokenizer: {}",
        "tokenizer: {model: a, train: {vocab_size: 500}}",
        "tokenizer: {model: a, bos: false, eos: false}",
    ],
)
def test_tokenizer_is_given_or_trained_and_bounds_documents(tmp_path, section):
    with pytest.raises(GristmillError, match="tokenizer"):
        load(write(tmp_path, CORPUS.replace("tokenizer: {model: t.model}", section)), CorpusManifest)


def test_source_names_are_unique(tmp_path):
    text = CORPUS.replace("tokenizer:", "  - {name: a, format: wet, files: [x], licence: CC0}\ntokenizer:")
    with pytest.raises(GristmillError, match="given twice: a"):
        load(write(tmp_path, text), CorpusManifest)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        # Hugging Face's published checkpoints; 34B is Code Llama's shape with Llama 2's vocabulary.
        ("llama2-7b", 6_738_415_616),
        ("llama2-13b", 13_015_864_320),
        ("llama2-34b", 33_743_970_304),
        ("llama2-70b", 68_976_648_192),
    ],
)
def test_llama_2_presets_have_the_published_parameter_counts(name, parameters):
    assert PRESETS[name].parameters(32_000) == parameters


def test_unknown_preset_lists_the_presets(tmp_path):
    with pytest.raises(GristmillError, match="llama2-7b"):
        load_model("llama3", folder=tmp_path)


def test_run_steps_are_rounded_up_and_llama_2_takes_476838():
    run = RunManifest(name="x", data="d", out="o")
    assert run.steps == -(-2_000_000_000_000 // (1024 * 4096)) == 476_838
    assert run.model_copy(update={"tokens": 1}).steps == 1


def test_run_loads_what_it_refers_to(tmp_path):
    write(tmp_path, "kind: mixture\nversion: 1\nname: m\nbuckets: [{match: '*/factual', epochs: 2}]\n", "mix.yaml")
    run = load_run(
        write(
            tmp_path,
            "kind: run\nversion: 1\nname: r\ndata: ../d\nout: o\nmodel: tiny\nmixture: mix.yaml\nsequence: 64\n",
            "run.yaml",
        )
    )
    assert run.model == PRESETS["tiny"]
    assert run.mixture.buckets[0].epochs == 2
    assert run.data == str(tmp_path.parent / "d")


def test_sequence_longer_than_the_model_is_refused(tmp_path):
    with pytest.raises(GristmillError, match="longer than model tiny"):
        load_run(
            write(
                tmp_path, "kind: run\nversion: 1\nname: r\ndata: d\nout: o\nmodel: tiny\nsequence: 1024\n", "run.yaml"
            )
        )


def test_a_rule_is_a_share_or_epochs():
    with pytest.raises(ValidationError, match="not both"):
        MixtureManifest.model_validate({"buckets": [{"match": "*", "share": 0.5, "epochs": 2}]})


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "filters: {variant: gopher-paper, min_words: 100, max_words: 50}",
            "`min_words` (100) is above `max_words` (50): no document",
        ),
        (
            "filters: {variant: gopher-dolma, min_median_word_length: 11}",
            "`min_median_word_length` (11.0) is above `max_median_word",
        ),
        ("filters: {variant: gopher-datatrove, max_top_2gram: .inf}", "`.inf` is not a finite number"),
        ("filters: {variant: ccnet, keep: []}", "filters.0.ccnet.keep: List should have at least 1 item"),
        ("filters: [none, fineweb]", "filters: `none` stands alone"),
        ("filters: 5", "filters: give the name of a filter"),
        ("filters: bad-words", "\n  the filter `bad-words` needs `bad_words` with a list of words"),
        ("languages: {keep: [en, de-DE]}", "languages.keep: `de-DE` is no code of lid.176; did you mean `de`?"),
        ("languages: {keep: [false]}", "languages.keep: `False` is no language code"),
        ("languages: {keep: []}", "languages.keep: give `all`, or a list of at least one code"),
        ("bad_words: {lists: {english: words}}", "`english` is no code of lid.176"),
        (
            "block_lists: [{name: a, sites: s}, {name: a, urls: u}]",
            "names of block lists must be unique; given twice: a",
        ),
        ("opt_out: {}", "opt_out: give at least one of `sites` and `urls`"),
        (
            "block_lists: [{name: opt_out, sites: s}]",
            "no block list may be called `opt_out`: write `opt_out: {sites: …}`",
        ),
    ],
)
def test_what_no_document_could_pass_or_no_list_mean_is_an_error(tmp_path, line, problem):
    with pytest.raises(GristmillError) as caught:
        load(write(tmp_path, CORPUS + line), CorpusManifest)
    assert problem in str(caught.value)
    assert "Value error" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for read in (read_bytes, map_file, open_stream):
        with pytest.raises(GristmillError, match=f"{tmp_path}: "):
            read(str(tmp_path))
