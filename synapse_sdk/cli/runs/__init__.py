"""`synapse runs`: what was recorded about runs, and what can be done about them."""

from synapse_sdk.cli.commands import LateCommand, SynapseGroup

__all__ = ["runs"]

HERE = "synapse_sdk.cli.runs"

runs = SynapseGroup(
    "runs",
    help="List, watch, resume, roll back and cancel runs. RUN is the id of a run, the first characters of one (4 or "
    "more), or the word last for the newest.",
    sections={
        "Look": {
            "list": LateCommand(f"{HERE}.list_runs:list_runs", "Show runs, the newest first."),
            "show": LateCommand(f"{HERE}.show:show", "Show what happened in a run, and what can be done."),
            "watch": LateCommand(f"{HERE}.watch:watch", "Follow a run until it ends."),
            "logs": LateCommand(f"{HERE}.logs:logs", "Print what a run has logged."),
            "export-report": LateCommand(f"{HERE}.export:export_report", "Write an account of a run."),
        },
        "Act": {
            "resume": LateCommand(f"{HERE}.resume:resume", "Go on with a run whose process died."),
            "rollback": LateCommand(f"{HERE}.resume:rollback", "Undo what such a run has done."),
            "cancel": LateCommand(f"{HERE}.cancel:cancel", "Stop a run and undo it, wherever it runs."),
            "gc": LateCommand(f"{HERE}.gc:gc", "Forget runs that ended long ago."),
        },
    },
    examples=("synapse runs list", "synapse runs show last", "synapse runs resume 7f3a"),
)
