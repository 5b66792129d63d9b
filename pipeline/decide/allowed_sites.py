"""Sites that the site rule never drops, whatever their pages hold.

In: the list files of the manifest, as for block lists of sites. Out: `OUT/decide/sites/allowed.arrow`, the entries as
sorted hashes.
"""

from __future__ import annotations

import pyarrow as pa

from manifests.corpus import BlockList, CorpusManifest
from manifests.step import Ledger, TaskManifest
from pipeline.decide.block_lists import HASHES, content_hash, list_files, read_list
from pipeline.decide.settings import DecideJob
from pipeline.schemas import publish_ipc
from storage.files import join
from storage.steps import finished_task, write_task

_NAME = "personal_information.sites.allow"
ALLOWED_TASK = "sites/allowed"
ALLOWED_FILE = f"{ALLOWED_TASK}.arrow"


def allowed_settings(manifest: CorpusManifest) -> str | None:
    """A hash of the contents of the list; None without one."""
    files = _files(manifest)
    return content_hash(files) if files else None


def check_allowed(manifest: CorpusManifest) -> None:
    """Check that the files of the list exist.

    Raises:
        GristmillError: the list names no file.
    """
    _files(manifest)


def publish_allowed(manifest: CorpusManifest, job: DecideJob) -> list[TaskManifest]:
    """Publish the hashes of the list; nothing if there is none, or it is published already.

    Raises:
        GristmillError: the list is missing, empty, or no list of sites.
    """
    files = _files(manifest)
    if not files:
        return []
    done = finished_task(job.folder, ALLOWED_TASK, job.key)
    if done is not None:
        return [done]
    entries = read_list(files, kind="sites", name=_NAME)
    batch = pa.RecordBatch.from_arrays([pa.array(entries.hashes)], schema=HASHES)
    notes = []
    if entries.unread:
        notes.append(f"`{_NAME}`: {entries.unread:,} lines are no sites and left out, as `{entries.example}`")
    output = publish_ipc(job.folder, ALLOWED_FILE, [batch], HASHES, compress=False)
    task = TaskManifest(task=ALLOWED_TASK, key=job.key, inputs={}, outputs=[output], ledger=Ledger(), notes=notes)
    write_task(job.folder, task)
    return [task]


def allowed_file(job: DecideJob) -> str | None:
    """Where the hashes of the list are published; None without one."""
    return None if job.settings.allowed_sites is None else join(job.folder, ALLOWED_FILE)


def _files(manifest: CorpusManifest) -> list[str]:
    information = manifest.personal_information
    if information is None or information.sites is None or information.sites.allow is None:
        return []
    return list_files(BlockList(name=_NAME, sites=information.sites.allow), "sites")
