"""The reports of `config show` and `run` as text."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console

from indexer.cli.effective_settings import EffectiveSettings
from indexer.cli.render.tables import print_fitting
from indexer.configuration.file import FILE_NAME
from indexer.escaping import printable

if TYPE_CHECKING:
    from indexer.workflows.admin.configured_run import ConfiguredRun  # which loads the image libraries


def render_settings(console: Console, shown: EffectiveSettings) -> None:
    """Prints each setting with its value and where it comes from; a list or a table has a row for each of its items."""
    if shown.is_off:
        console.print("No file is used: --config or INDEXER_CONFIG is off.")
    elif shown.file is None:
        console.print(f"There is no {FILE_NAME} here or above.")
    else:
        console.print(f"The file is {printable(shown.file)}.")
    rows = []
    for setting in shown.settings:
        source = setting.source if setting.source in {"default", "file"} else setting.where
        lines = _lines(setting.value)
        if lines == [""]:
            lines = [_UNSET.get(setting.name, "none")]
        rows += [(setting.name if line == 0 else "", text, source) for line, text in enumerate(lines)]
    print_fitting(console, ("setting", "value", "from"), rows, folded="value")


_UNSET = {"profile": "the active one of the index", "run.quarantine": "beside each folder"}
"""What holds where a setting has no value, if that is not nothing."""


def render_run(console: Console, report: "ConfiguredRun") -> None:
    """Prints what each step left alone, where no text was shown before."""
    from indexer.cli.render.compare import render_compare_failures
    from indexer.cli.render.ingest import render_ingest_failures
    from indexer.cli.render.removal import render_prune_failures

    for ingested in report.ingests:
        if ingested.left_alone:
            render_ingest_failures(console, ingested)
    if report.compared is not None and report.compared.held_back:
        render_compare_failures(console, report.compared)
    if report.pruned is not None and report.pruned.has_failed:
        render_prune_failures(console, report.pruned)


def _lines(value: Any) -> list[str]:
    """A value as lines of text, at least one."""
    if isinstance(value, Mapping):
        return [f"{name} = {item}" for name, item in value.items()] or [""]
    if isinstance(value, list):
        return [", ".join(_lines(item)) for item in value] or [""]
    return ["" if value is None else str(value).lower() if isinstance(value, bool) else str(value)]
