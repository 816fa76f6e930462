"""The document of `completion`."""

from typing import Annotated, TypedDict


class CompletionDocument(TypedDict):
    """The script that lets a shell complete commands and options."""

    shell: Annotated[str, "The shell: `bash`, `zsh` or `fish`."]
    script: Annotated[str, "The script."]
