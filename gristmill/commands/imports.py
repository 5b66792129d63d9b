"""`gristmill import`: tokens that others wrote, as token shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gristmill.commands.export import shown
from gristmill.options import Json
from gristmill.output import bucket_table, console, ledger_table, print_json, say_note
from gristmill.progress import amount_progress
from gristmill.stopping import stops_on_sigterm
from shards.format import ShardManifest
from shards.import_settings import SHARD_TOKENS, ImportSettings, boundaries_of, buckets_of
from storage.destination import check_apart
from storage.files import absolute, read_bytes

if TYPE_CHECKING:
    from shards.import_tokens import TokenFile

app = typer.Typer(no_args_is_help=True, help="Token shards from tokens that others wrote.")

Model = Annotated[
    str, typer.Option("--tokenizer", metavar="MODEL", help="the SentencePiece model that wrote the tokens")
]
Buckets = Annotated[
    list[str],
    typer.Option(
        "--bucket", metavar="SOURCE/BAND", help="of the files; once for all, or once for each of them in turn"
    ),
]
Bounds = Annotated[
    str,
    typer.Option("--boundaries", help="what each document begins and ends with: bos+eos, bos, eos or none; checked"),
]
Destination = Annotated[str, typer.Option("--out", metavar="OUT", help="an empty folder")]
Name = Annotated[str, typer.Option("--name", help="of the corpus")]
ShardTokens = Annotated[int, typer.Option("--shard-tokens", min=1_000, help="tokens per shard")]


@app.command("megatron")
def megatron(
    prefixes: Annotated[list[str], typer.Argument(metavar="PREFIX...", help="of pairs of .bin and .idx")],
    tokenizer: Model,
    bucket: Buckets,
    boundaries: Bounds,
    out: Destination,
    name: Name = "imported",
    shard_tokens: ShardTokens = SHARD_TOKENS,
    json: Json = False,
) -> None:
    """Megatron-LM's .bin and .idx to token shards."""
    from shards.import_megatron import megatron_files
    from shards.import_tokenizer import tokenizer_of

    places = [absolute(prefix) for prefix in prefixes]
    settings = _settings("import megatron", name, tokenizer, boundaries, shard_tokens)
    info, _ = tokenizer_of(read_bytes(settings.model), settings.boundaries, where=settings.model)
    files = megatron_files(places, buckets_of(bucket, places), tokenizer_sha256=info.sha256)
    _run(files, settings, out, [], json)


@app.command("data-prep-kit")
def data_prep_kit(
    places: Annotated[
        list[str], typer.Argument(metavar="PLACE...", help="folders that its tokenization2arrow wrote, or .arrow files")
    ],
    tokenizer: Model,
    bucket: Buckets,
    boundaries: Bounds,
    out: Destination,
    name: Name = "imported",
    shard_tokens: ShardTokens = SHARD_TOKENS,
    json: Json = False,
) -> None:
    """The tokens of IBM's data-prep-kit to token shards."""
    from shards.import_data_prep_kit import data_prep_kit_files

    named = [absolute(place) for place in places]
    check_apart(absolute(out), named)
    settings = _settings("import data-prep-kit", name, tokenizer, boundaries, shard_tokens)
    files, notes = data_prep_kit_files(named, buckets_of(bucket, named))
    _run(files, settings, out, notes, json)


def _settings(command: str, name: str, tokenizer: str, boundaries: str, shard_tokens: int) -> ImportSettings:
    return ImportSettings(
        command=command,
        corpus=name,
        model=absolute(tokenizer),
        boundaries=boundaries_of(boundaries),
        shard_tokens=shard_tokens,
    )


def _run(files: list[TokenFile], settings: ImportSettings, out: str, notes: list[str], as_json: bool) -> None:
    from shards.import_tokens import import_tokens

    place = absolute(out)
    with stops_on_sigterm(), amount_progress("import", unit="tokens", shown=shown(as_json)) as progress:
        done = import_tokens(files, settings, out=place, expect=progress.expect, advance=progress.advance, say=say_note)
    _print(done, place, notes, as_json)


def _print(done: ShardManifest, out: str, notes: list[str], as_json: bool) -> None:
    if as_json:
        tokens = sum(size.tokens for size in done.bucket_sizes().values())
        print_json(
            {"out": out, "digest": done.digest, "tokens": tokens, "ledger": done.ledger.model_dump(), "notes": notes}
        )
        return
    console.print(ledger_table({"import": done.ledger}))
    console.print(bucket_table(done))
    for note in notes:
        console.print(f"note: {note}")
    console.print(f"\ndigest  {done.digest}\nshards  {out}/shards")
