"""`synapse dataset cache`: the datasets that were downloaded and are kept, and how to get rid of them."""

import re
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from synapse_sdk.cli.catalogue.options import JSON
from synapse_sdk.cli.commands import LateCommand, SynapseCommand, SynapseGroup
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.dataset.cache_pruning import KeptDataset

__all__ = ["cache", "list_kept", "prune"]

HERE = "synapse_sdk.cli.dataset.cache"
PRUNED = "synapse dataset cache prune --older-than 30d"
SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}

cache = SynapseGroup(
    "cache",
    help="Look at the datasets that were downloaded and are kept, and remove them. What is removed is downloaded again "
    "when it is asked for.",
    sections={
        "Commands": {
            "list": LateCommand(f"{HERE}:list_kept", "List them, the one that was used last first.", ("ls",)),
            "prune": LateCommand(f"{HERE}:prune", "Remove some of them, or all."),
        }
    },
    examples=("synapse dataset cache list", PRUNED),
)


def _age(_: click.Context, __: click.Parameter, text: str | None) -> timedelta | None:
    """Return the time that a text such as `30d` says."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip().lower())
    if found is None:
        msg = f"{text!r} is no age: give a number with m, h, d or w, such as 30d"
        raise click.BadParameter(msg)
    return timedelta(seconds=int(found[1]) * SECONDS[found[2]])


def _bytes(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """Return the bytes that a text such as `10GB` says."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?)b?", text.strip().lower())
    if found is None:
        msg = f"{text!r} is no size: give a number with B, kB, MB, GB or TB, such as 10GB"
        raise click.BadParameter(msg)
    return int(float(found[1]) * BYTES[found[2]])


@click.command("list", cls=SynapseCommand, examples=("synapse dataset cache list", "synapse dataset cache list --json"))
@JSON
@click.pass_obj
def list_kept(session: Session, /, *, as_json: bool) -> None:
    """Show the datasets that are kept, the one that was used last first."""
    from synapse_sdk.cli.rendering import clean, echo_json, table, terminal_width, write  # noqa: PLC0415  # help needs none
    from synapse_sdk.cli.runs.wording import local_time  # noqa: PLC0415  # as above
    from synapse_sdk.plugins.actions.dataset.cache import cache_folder  # noqa: PLC0415  # as above
    from synapse_sdk.plugins.actions.dataset.cache_pruning import kept_datasets  # noqa: PLC0415  # as above
    from synapse_sdk.reporting.text import plural, size  # noqa: PLC0415  # as above

    session.wants_json = as_json
    folder = cache_folder()
    kept = kept_datasets(folder)
    if as_json:
        echo_json({"folder": str(folder), "datasets": [_facts(each) for each in kept]})
        return
    if not kept:
        write(sys.stderr, "No downloaded datasets are kept here.")
        return
    rows = [
        (
            clean(each.path.name),
            clean(each.dataset) or "not complete",
            size(each.size),
            local_time(each.used_at),
            "in use" if each.is_held else "",
        )
        for each in kept
    ]
    write(sys.stdout, table(("name", "version", "size", "last used", ""), rows, width=terminal_width(sys.stdout)))
    write(sys.stderr, f"{plural(len(kept), 'dataset')} with {size(sum(each.size for each in kept))} in {folder}")


@click.command(
    "prune",
    cls=SynapseCommand,
    examples=(PRUNED, "synapse dataset cache prune --keep-bytes 10GB --dry-run", "synapse dataset cache prune --all"),
)
@click.option("--older-than", "age", callback=_age, metavar="AGE", help="Those not used for so long: 12h, 30d, 8w.")
@click.option(
    "--keep-bytes",
    callback=_bytes,
    metavar="SIZE",
    help="Those not used for longest, until the others have no more bytes than SIZE: 500MB, 10GB.",
)
@click.option("--all", "takes_all", is_flag=True, help="All.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@JSON
@click.pass_obj
def prune(
    session: Session,
    /,
    *,
    age: timedelta | None,
    keep_bytes: int | None,
    takes_all: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove downloaded datasets that are kept, but for those that a run is at work with.

    Datasets that were made of them with `--images symlink` lead into them, and lose their files.
    """
    from synapse_sdk.clock import SYSTEM_CLOCK  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.plugins.actions.dataset import cache_pruning as pruning  # noqa: PLC0415
    from synapse_sdk.plugins.actions.dataset.cache import cache_folder  # noqa: PLC0415

    session.wants_json = as_json
    if age is None and keep_bytes is None and not takes_all:
        msg = "Say what to remove: --older-than AGE, --keep-bytes SIZE or --all"
        raise click.UsageError(msg)
    folder = cache_folder()
    kept = pruning.kept_datasets(folder)
    since = None if age is None else SYSTEM_CLOCK.now() - age
    chosen = pruning.choose(kept, unused_since=since, keep_bytes=keep_bytes, takes_all=takes_all)
    if not dry_run:
        pruning.remove_leftovers(folder)
        chosen = [each for each in chosen if pruning.prune(each)]
    _show_pruned(chosen, [each for each in kept if each.is_held], is_dry=dry_run, as_json=as_json)


def _show_pruned(chosen: "list[KeptDataset]", held: "list[KeptDataset]", *, is_dry: bool, as_json: bool) -> None:
    from synapse_sdk.cli.rendering import clean, echo_json, write  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.reporting.text import plural, size  # noqa: PLC0415

    total = sum(each.size for each in chosen)
    if as_json:
        echo_json({"datasets": [_facts(each) for each in chosen], "bytes": total, "are_removed": not is_dry})
        return
    for each in chosen:
        write(sys.stdout, f"{'would remove' if is_dry else 'removed'} {clean(each.path.name)} ({size(each.size)})")
    if held:
        write(sys.stderr, f"{plural(len(held), 'dataset')} in use by runs stayed")
    write(sys.stderr, f"{plural(len(chosen), 'dataset')} with {size(total)}")


def _facts(kept: "KeptDataset") -> dict[str, object]:
    return {
        "name": kept.path.name,
        "version": kept.dataset,
        "bytes": kept.size,
        "used_at": kept.used_at.isoformat(),
        "is_in_use": kept.is_held,
        "path": str(kept.path),
    }
