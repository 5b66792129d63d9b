"""`gristmill show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import yaml

from gristmill.options import Json
from gristmill.output import console, print_json
from manifests.kinds import load_any


def show(manifest: Annotated[Path, typer.Argument(metavar="MANIFEST.yaml")], json: Json = False) -> None:
    """Print a manifest (corpus, mixture, model or run) with all its defaults, or a model preset by its name."""
    whole = load_any(manifest).model_dump(mode="json")
    if json:
        print_json(whole)
    else:
        console.print(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True).rstrip())
