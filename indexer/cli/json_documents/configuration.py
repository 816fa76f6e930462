"""The documents of `run` and `config show`; that of `config completion` is in `completion.py`."""

from typing import Annotated, Any, Literal, TypedDict

from indexer.cli.json_documents.admin import ProfileUseDocument
from indexer.cli.json_documents.comparison import CompareDocument, IngestDocument
from indexer.cli.json_documents.form import From
from indexer.cli.json_documents.removal import PruneDocument


class RunDocument(TypedDict):
    """What each step of `run` did."""

    configuration: Annotated[str, "Path of the configuration file."]
    ingest: Annotated[
        list[IngestDocument], "Report of `ingest` for each group of folders that are named alike.", From("ingests")
    ]
    profiles: Annotated[list[ProfileUseDocument], "Cameras that got another profile.", From("profile_uses")]
    unknown_cameras: Annotated[list[str], "Cameras of `[profiles]` that are not in the index."]
    compare: Annotated[CompareDocument | None, "Report of `compare`. `null`: the run ended before.", From("compared")]
    prune: Annotated[
        PruneDocument | None,
        "Report of `prune`. `null`: no file is to be removed, or the run ended before.",
        From("pruned"),
    ]
    error: Annotated[str | None, "What ended the run before its last step. `null`: nothing did."]
    exit_code: Annotated[int, "Exit code of the command."]


class SettingDocument(TypedDict):
    """One setting."""

    name: Annotated[str, "Key of the setting in `indexer.toml`, with its table."]
    value: Annotated[Any, "Its value, without passwords. `null`: none."]
    source: Annotated[
        Literal["command line", "environment", "file", "default"],
        "Where the value comes from: the first source that has it.",
    ]
    where: Annotated[str | None, "Option, variable or file that sets it. `null`: none does."]


class ConfigurationDocument(TypedDict):
    """The settings that hold."""

    file: Annotated[str | None, "Path of the configuration file. `null`: there is none, or none is used."]
    is_off: Annotated[bool, "Whether no file is used, as with `--config off`."]
    settings: Annotated[list[SettingDocument], "The settings."]
