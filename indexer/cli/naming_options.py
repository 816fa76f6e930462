"""The options of `ingest` that say which camera took the images, and when."""

from typing import Annotated

import typer

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show which cameras and times the names give. Change nothing.")]
CameraName = Annotated[
    str | None, typer.Option("--camera", metavar="NAME", help="All these images are of this camera.")
]
CameraLevel = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="The Nth folder below PATH names the camera: 1 is the first.")
]
Pattern = Annotated[
    str | None,
    typer.Option(metavar="REGEX", help="Regular expression; its groups camera, timestamp ... name the images."),
]
SchemeName = Annotated[
    str | None, typer.Option("--scheme", metavar="NAME", help="A built-in pattern. To list them: camera schemes.")
]
Timezone = Annotated[
    str | None,
    typer.Option(metavar="ZONE", help="Time zone of times without an offset, as Europe/Berlin. If not given: UTC."),
]
ForgetRules = Annotated[
    bool,
    typer.Option("--forget-rules", help="Delete what is stored about names in the folder, and name all images again."),
]
NewRules = Annotated[bool, typer.Option("--new-rules", help="Name known images again, by the rules of this version.")]
