"""Names that a shell can complete: plugins, their actions, runs, and what a backend has, as they are now."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from click.shell_completion import CompletionItem

    from synapse_sdk.backend import Backend
    from synapse_sdk.cli.catalogue.options import Named

__all__ = [
    "complete_action",
    "complete_collection",
    "complete_dataset",
    "complete_model",
    "complete_plugin",
    "complete_project",
    "complete_run",
    "complete_storage",
]

MOST_NAMES = 1000
"""Names of a backend among which those that fit are sought."""
MOST_RUNS = 50
"""Runs that a shell is offered at most; the newest are meant most often."""


def complete_plugin(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Return the plugins that are installed or lie here; after a slash, or if there are none, folders."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # only shells ask

    names: list[str] = []
    if "/" not in incomplete:
        from synapse_sdk.cli.plugin_facts import plugin_folders  # noqa: PLC0415  # as above
        from synapse_sdk.plugins.discovery.installed import installed_names  # noqa: PLC0415  # as above

        names = [name for name in (*installed_names(), *plugin_folders()) if name.startswith(incomplete)]
    return [CompletionItem(name) for name in names] or [CompletionItem(incomplete, type="dir")]


def complete_action(ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Return the actions of the plugin that stands before; a plugin that cannot be read has none."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # only shells ask

    from synapse_sdk.errors import SynapseError  # noqa: PLC0415  # as above
    from synapse_sdk.plugins.discovery import find_plugin  # noqa: PLC0415  # as above

    reference = ctx.params.get("plugin") or ctx.params.get("reference")
    try:
        actions = find_plugin(reference).actions if reference else {}
    except SynapseError:  # a shell that waits for names cannot be told why there are none
        return []
    return [
        CompletionItem(name, help=entry.description) for name, entry in actions.items() if name.startswith(incomplete)
    ]


def complete_run(ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Return the newest runs whose ids begin so; a journal that cannot be read has none."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # only shells ask

    from synapse_sdk.errors import SynapseError  # noqa: PLC0415  # as above
    from synapse_sdk.journal import open_journal  # noqa: PLC0415  # as above

    try:
        place = ctx.find_root().obj.journal
        if place is None:
            return []
        with open_journal(place, read_only=True) as journal:
            runs = [run for run in journal.runs() if run.id.startswith(incomplete)]
    except SynapseError:  # as above
        return []
    return [CompletionItem(run.id, help=f"{run.source.action}, {run.status}") for run in runs[:MOST_RUNS]]


def complete_collection(ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Return the collections whose names begin so."""
    return _names(ctx, lambda backend: backend.collections.list, incomplete)


def complete_dataset(ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Return the ground-truth datasets whose names begin so."""
    return _names(ctx, lambda backend: backend.ground_truths.datasets, incomplete)


def complete_model(ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Return the models whose names begin so; the newest version of each is meant."""
    return _names(ctx, lambda backend: backend.models.list, incomplete)


def complete_project(ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Return the projects whose names begin so."""
    return _names(ctx, lambda backend: backend.projects.list, incomplete)


def complete_storage(ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Return the storages whose names begin so."""
    return _names(ctx, lambda backend: backend.storages.list, incomplete)


def _names(
    ctx: click.Context, read: "Callable[[Backend], Callable[..., Sequence[Named]]]", incomplete: str
) -> "list[CompletionItem]":
    """Return the names of records that begin so; a backend that is not there is not made, and has none."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # only shells ask

    from synapse_sdk.backend.open import default_backend, open_backend, sqlite_path  # noqa: PLC0415  # as above
    from synapse_sdk.errors import SynapseError  # noqa: PLC0415  # as above

    try:
        place = ctx.find_root().obj.backend or str(default_backend())
        path = sqlite_path(place)
        if path is not None and not path.exists():
            return []
        with open_backend(place) as backend:
            names = dict.fromkeys(record.name for record in read(backend)(limit=MOST_NAMES))
    except SynapseError:  # as above
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
