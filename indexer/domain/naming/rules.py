"""How the images of an ingested folder are named: what a person said of it once, for all later ingests of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from indexer.domain.naming.cameras import claim_of_level
from indexer.domain.naming.patterns import NamePattern, compile_pattern
from indexer.domain.naming.schemes import SCHEMES, find_scheme
from indexer.domain.paths import lies_at_or_below, lies_below, relocated
from indexer.errors import UsageError

FindCamera = Callable[[str], str | None]


@dataclass(frozen=True)
class NamingRule:
    """How images below a folder are named. None: not said.

    `camera_level`: the camera is the folder so many levels below, 1 for the first one. `base`: the folder above that
    level and pattern begin at, where they were said of it. `is_earlier`: an earlier version ingested the folder, and
    names are read by its rules until a person asks for those of today.
    """

    folder: str
    camera: str | None = None
    camera_level: int | None = None
    base: str | None = None
    pattern: str | None = None
    scheme: str | None = None
    timezone: str | None = None
    is_earlier: bool = False

    @cached_property
    def compiled(self) -> NamePattern | None:
        """The pattern, or that of the scheme."""
        if self.pattern is not None:
            return _compiled(self.pattern)
        scheme = None if self.scheme is None else find_scheme(self.scheme)
        return None if scheme is None else _compiled(scheme.pattern)

    @cached_property
    def zone(self) -> tzinfo | None:
        """The time zone; None: UTC."""
        return None if self.timezone is None else get_zone(self.timezone)

    @property
    def says_anything(self) -> bool:
        """Whether a person said anything about the folder."""
        return self != NamingRule(self.folder, is_earlier=self.is_earlier)

    def relative(self, path: str) -> str:
        """A path below the folder that level and pattern begin at; one outside of it stays as it is."""
        return path.removeprefix(f"{(self.base or self.folder).rstrip('/')}/")

    def at(self, folder: str) -> "NamingRule":
        """The same rule for a folder below."""
        begins_elsewhere = self.compiled is not None or self.camera_level is not None
        return replace(self, folder=folder, base=self.base or self.folder if begins_elsewhere else None)

    def carried(self, old: str, new: str, *, find_camera: FindCamera) -> "NamingRule":
        """The rule for the folder `new` that was `old`, a folder below this one.

        Level and pattern begin as many folders above it as before. A camera that is one of the folders above `old`, or
        `old` itself, stays the camera, by the name that the index has for it; else by the folder's longest name, which
        no other folder has.
        """
        base = self.base or self.folder
        folders = old.removeprefix(f"{base.rstrip('/')}/").split("/")
        above = new.split("/")[: -len(folders)]
        rule = replace(self.at(new), base="/".join(above) or "/")
        if self.camera_level is not None and self.camera_level <= len(folders):
            folder = f"{base.rstrip('/')}/{'/'.join(folders[: self.camera_level])}"
            rule = replace(rule, camera=find_camera(folder) or claim_of_level(folder).names[-1], camera_level=None)
        elif self.camera_level is not None and not above:
            rule = replace(rule, camera_level=self.camera_level - len(folders))
        begins_elsewhere = rule.compiled is not None or rule.camera_level is not None
        return replace(rule, base=rule.base if begins_elsewhere and above else None)


@dataclass(frozen=True)
class NamingOptions:
    """What a person says with one ingest. `is_new_rules`: names are to be read by the rules of today."""

    camera: str | None = None
    camera_level: int | None = None
    pattern: str | None = None
    scheme: str | None = None
    timezone: str | None = None
    is_new_rules: bool = False

    def __bool__(self) -> bool:
        return self != NamingOptions()

    @property
    def says_camera_or_pattern(self) -> bool:
        """Whether it takes the place of what was said of folders below."""
        return replace(self, timezone=None) != NamingOptions()

    def checked(self) -> "NamingOptions":
        """The same options; raises `UsageError` for one that makes no sense."""
        if self.camera is not None and not self.camera.strip():
            raise UsageError("--camera is empty; give a name, or leave it out to read cameras from the file names")
        if self.pattern is not None and self.scheme is not None:
            raise UsageError("--pattern and --scheme say the same in two ways; give one of them")
        if self.camera is not None and self.camera_level is not None:
            raise UsageError("--camera and --camera-level say the same in two ways; give one of them")
        if self.pattern is not None:
            compile_pattern(self.pattern)
        if self.scheme is not None and find_scheme(self.scheme) is None:
            names = ", ".join(scheme.name for scheme in SCHEMES)
            raise UsageError(f"there is no scheme {self.scheme!r}; there are: {names}")
        if self.timezone is not None:
            get_zone(self.timezone)
        return self

    def applied_to(self, rule: NamingRule) -> NamingRule:
        """A rule after a person said this: what is new about the camera, or about names, takes the place of the old."""
        if self.is_new_rules:
            rule = replace(rule, is_earlier=False)
        if self.pattern is not None or self.scheme is not None:
            rule = replace(rule, pattern=self.pattern, scheme=self.scheme, base=None)
            if rule.compiled is not None and rule.compiled.reads_camera:
                rule = replace(rule, camera=None, camera_level=None)
        if self.camera is not None:
            rule = replace(rule, camera=self.camera, camera_level=None)
        if self.camera_level is not None:
            rule = replace(rule, camera=None, camera_level=self.camera_level, base=None)
        return rule if self.timezone is None else replace(rule, timezone=self.timezone)


class RuleBook:
    """Rules by folder; the nearest one at or above a folder holds for it."""

    def __init__(self, rules: Mapping[str, NamingRule]) -> None:
        self.rules = dict(rules)
        self._by_folder: dict[str, NamingRule | None] = {}

    def find(self, folder: str) -> NamingRule | None:
        """The rule for the files of a folder; None if there is none at or above it."""
        if folder in self._by_folder:
            return self._by_folder[folder]
        rule, above = None, folder
        while rule is None:
            rule = self.rules.get(above)
            if above in {"/", ""}:
                break
            above = above.rpartition("/")[0] or "/"
        self._by_folder[folder] = rule
        return rule

    def after(self, options: NamingOptions, folders: Iterable[str]) -> "RuleBook":
        """The rules after a person said this of folders; it holds below them, too, whatever was said there before."""
        rules = dict(self.rules)
        for folder in folders:
            nearest = self.find(folder)
            rule = (
                NamingRule(folder) if nearest is None else nearest if nearest.folder == folder else nearest.at(folder)
            )
            if nearest is None or options:
                rules[folder] = options.applied_to(rule)
            for other in [other for other in rules if lies_below(other, folder)] if options else ():
                if options.says_camera_or_pattern:
                    del rules[other]
                else:
                    rules[other] = options.applied_to(rules[other])
        return RuleBook(rules)

    def relocated(self, old: str, new: str, *, find_camera: FindCamera = lambda _: None) -> "RuleBook":
        """The rules after the folder `old` became `new`. A folder that has a rule at its new path keeps that one.

        What held for `old` as it was said of a folder above holds for it at its new path, too. `find_camera`: the name
        that the index has for the camera of a folder, by its old path; None if it has none.
        """
        rules = {folder: rule for folder, rule in self.rules.items() if not lies_at_or_below(folder, old)}
        for folder, rule in self.rules.items():
            base = None if rule.base is None else relocated(rule.base, old=old, new=new)
            moved = replace(rule, folder=relocated(folder, old=old, new=new), base=base)
            if moved.folder == folder or moved.folder not in self.rules:
                rules[moved.folder] = moved
        above, there = self.find(old), RuleBook(rules).find(new)
        if above is not None and new not in rules:
            carried = above.carried(old, new, find_camera=find_camera)
            if there is None or carried != there.at(new):
                rules[new] = carried
        return RuleBook(rules)


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> NamePattern:
    return compile_pattern(pattern)


def get_zone(name: str) -> tzinfo:
    """The time zone of that name, as Europe/Berlin; raises `UsageError` if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"there is no time zone {name!r}; write for example --timezone Europe/Berlin (on a system without time "
            "zones: pip install tzdata)"
        ) from None


def local_time(moment: datetime, *, timezone: str | None, local: bool) -> datetime:
    """A time in the zone stored for its folder, else with `local` in that of this machine, else as it is."""
    if timezone is None and not local:
        return moment
    return moment.astimezone(None if timezone is None else get_zone(timezone))
