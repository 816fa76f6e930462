"""The options of `ingest` that say which camera took the images, and when."""

from typing import Annotated

import typer

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show which cameras and times the names give, and stop.")]
CameraName = Annotated[
    str | None, typer.Option("--camera", metavar="NAME", help="All these images are of this camera.")
]
CameraLevel = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="The camera is the Nth folder below PATH: 1 is the first.")
]
Pattern = Annotated[
    str | None, typer.Option(metavar="REGEX", help="Groups (?P<camera>...), (?P<timestamp>...) name the images.")
]
SchemeName = Annotated[
    str | None, typer.Option("--scheme", metavar="NAME", help="A built-in pattern; to list them: camera schemes.")
]
Timezone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="Of times without an offset, as Europe/Berlin; else UTC.")
]
NewRules = Annotated[bool, typer.Option("--new-rules", help="Name known images again, by the rules of this version.")]
