"""What a program can check in the documentation: manifests are valid; linked files, presets and commands exist."""

import re

import pytest
import yaml

from demo.packages import PACKAGES
from gristmill.cli import app
from manifests.base import validate
from manifests.corpus import CorpusManifest
from manifests.kinds import KINDS
from manifests.model import PRESETS
from manifests.run import load_run
from tests.paths import PROJECT

PAGES = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs").glob("*.md"))]
SHIPPED = sorted([*(PROJECT / "demo").rglob("*.yaml"), *(PROJECT / "bench").glob("*.yaml")])
BLOCK = re.compile(r"<!-- manifest -->\n```yaml\n(.*?)```", re.DOTALL)
WRITTEN = [
    (page, number, text)
    for page in PAGES
    for number, text in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"^(?:\$ )?gristmill ([a-z-]+)(?: ([a-z-]+)\b)?", re.MULTILINE)


def name_of(page) -> str:
    return str(page.relative_to(PROJECT))


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_shipped_manifests_validate(path):
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert validate(data, KINDS[data["kind"]], where=str(path)).version == 1


@pytest.mark.parametrize(
    ("page", "number", "text"), WRITTEN, ids=[f"{name_of(page)}-{number}" for page, number, _ in WRITTEN]
)
def test_manifests_in_the_documents_validate(page, number, text):
    data = yaml.safe_load(text)
    assert validate(data, KINDS[data["kind"]], where=f"{page}, block {number}").version == 1


def test_every_kind_of_manifest_is_explained_with_all_its_keys():
    texts = [yaml.safe_load(text) for page, _, text in WRITTEN if page.name == "manifests.md"]
    assert {data["kind"] for data in texts} == KINDS.keys()
    for kind, model in KINDS.items():
        explained = {key for data in texts if data["kind"] == kind for key in data}
        assert set(model.model_fields) == explained, f"keys of {kind}"


def test_the_demo_names_its_licences_and_fits_its_model():
    corpus = CorpusManifest.model_validate(yaml.safe_load((PROJECT / "demo" / "corpus.yaml").read_text()))
    licences = {licence.split(" (package")[0].split(",")[0] for licence in (package.licence for package in PACKAGES)}
    downloaded = [source for source in corpus.sources if source.name != "web"]
    assert {source.licence.split(",")[0] for source in downloaded} == licences
    run = load_run(PROJECT / "demo" / "run.yaml")
    assert run.manifest.layout.tensor == 2
    assert run.data == str(PROJECT / ".demo" / "prepared")
    assert run.out == str(PROJECT / ".demo" / "run")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}, (
                f"{page.name}: {link}"
            )


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_the_documents_exist(page):
    commands = {command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands}
    groups = {
        group.name: {command.name for command in group.typer_instance.registered_commands}
        for group in app.registered_groups
    }
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    for first, second in COMMAND.findall(blocks):
        assert first in commands or second in groups.get(first, set()), f"{page.name}: gristmill {first} {second}"


def test_presets_in_the_manual_are_the_presets():
    text = (PROJECT / "docs" / "manifests.md").read_text(encoding="utf-8")
    (sentence,) = re.findall(r"Presets, to be named in a run manifest: (.*?)\.", text, re.DOTALL)
    assert re.findall(r"`([^`]+)`", sentence) == list(PRESETS)
