"""How the images of an ingested folder are named: what a person said of it once, for all later ingests of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import cached_property, lru_cache

from indexer.domain.naming.cameras import claim_of_level
from indexer.domain.naming.patterns import NamePattern, compile_pattern
from indexer.domain.naming.schemes import SCHEMES, find_scheme
from indexer.domain.paths import lies_at_or_below, list_below, relocated
from indexer.domain.zones import get_zone
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
    def scope(self) -> str:
        """The folder of which a person said level and pattern: these are their word for no file outside of it."""
        return self.base or self.folder

    @property
    def says_anything(self) -> bool:
        """Whether a person said anything about the folder."""
        return self != NamingRule(self.folder, is_earlier=self.is_earlier)

    def relative(self, path: str) -> str:
        """A path below the folder that level and pattern begin at; one outside of it stays as it is."""
        return path.removeprefix(f"{self.scope.rstrip('/')}/")

    def at(self, folder: str) -> "NamingRule":
        """The same rule for a folder below."""
        begins_elsewhere = self.compiled is not None or self.camera_level is not None
        return replace(self, folder=folder, base=self.scope if begins_elsewhere else None)

    def carried(self, old: str, new: str, *, find_camera: FindCamera) -> "NamingRule":
        """The rule for the folder `new` that was `old`, a folder below this one.

        Level and pattern begin as many folders above it as before. A camera that is one of the folders above `old`, or
        `old` itself, stays the camera, by the name that the index has for it; else by the folder's longest name, which
        no other folder has.
        """
        base = self.scope
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
    """What a person says with one ingest.

    `is_new_rules`: names are to be read by the rules of today. `forgets_rules`: what was said of the folder counts no
    more, also for known images. `base`: the folder that level and pattern begin at, an absolute path; None: the folder
    itself. `default_timezone`: the zone if none was said of the folder, one above or one below; see `resolved`.
    """

    camera: str | None = None
    camera_level: int | None = None
    pattern: str | None = None
    scheme: str | None = None
    timezone: str | None = None
    is_new_rules: bool = False
    forgets_rules: bool = False
    base: str | None = None
    default_timezone: str | None = None

    def __bool__(self) -> bool:
        return self != NamingOptions()

    @property
    def says_camera_or_pattern(self) -> bool:
        """Whether it takes the place of what was said of folders below."""
        bare = replace(self, timezone=None, default_timezone=None, is_new_rules=False, base=None)
        return bare != NamingOptions()

    def checked(self) -> "NamingOptions":
        """The same options; raises `UsageError` for one that makes no sense."""
        if self.camera is not None and not self.camera.strip():
            raise UsageError("--camera is empty; give a name, or leave it out to read cameras from the file names")
        if self.pattern is not None and self.scheme is not None:
            raise UsageError("--pattern and --scheme cannot be used together; give one of them")
        if self.camera is not None and self.camera_level is not None:
            raise UsageError("--camera and --camera-level cannot be used together; give one of them")
        if self.pattern is not None:
            compile_pattern(self.pattern)
        if self.scheme is not None and find_scheme(self.scheme) is None:
            names = ", ".join(scheme.name for scheme in SCHEMES)
            raise UsageError(f"there is no scheme {self.scheme!r}; there are: {names}")
        for zone in (self.timezone, self.default_timezone):
            if zone is not None:
                get_zone(zone)
        return replace(self, is_new_rules=True) if self.forgets_rules else self

    def resolved(self, rules: Mapping[str, NamingRule], folders: Iterable[str]) -> "NamingOptions":
        """The options for folders with these rules: without `default_timezone`, which becomes the zone if no rule of
        the folders, of one above or of one below says a zone."""
        if self.default_timezone is None:
            return self
        named = [folder for folder, rule in rules.items() if rule.timezone is not None]
        has_zone = self.timezone is not None or any(
            lies_at_or_below(folder, other) or lies_at_or_below(other, folder) for folder in folders for other in named
        )
        return replace(self, timezone=self.timezone if has_zone else self.default_timezone, default_timezone=None)

    def applied_to(self, rule: NamingRule) -> NamingRule:
        """A rule after a person said this: what is new about the camera, or about names, takes the place of the old."""
        if self.is_new_rules:
            rule = replace(rule, is_earlier=False)
        if self.pattern is not None or self.scheme is not None:
            base = None if rule.camera_level is None else rule.base
            rule = replace(rule, pattern=self.pattern, scheme=self.scheme, base=base)
            if self.pattern is not None and rule.compiled is not None and rule.compiled.reads_camera:
                rule = replace(rule, camera=None, camera_level=None, base=None)
        if self.camera is not None:
            rule = replace(rule, camera=self.camera, camera_level=None)
        if self.camera_level is not None:
            rule = replace(rule, camera=None, camera_level=self.camera_level, base=None)
        if self.base is not None:
            rule = self._begun_at(self.base, rule)
        return rule if self.timezone is None else replace(rule, timezone=self.timezone)

    def _begun_at(self, base: str, rule: NamingRule) -> NamingRule:
        """The rule with level and pattern that begin at `base`, if these options say one of them."""
        if self.camera_level is None and self.pattern is None and self.scheme is None:
            return rule
        if self.camera_level is None and rule.camera_level is not None:  # said before, of another folder
            level = rule.camera_level + _depth(rule.scope) - _depth(base)
            return replace(rule, camera_level=level, base=base) if level > 0 else rule
        return replace(rule, base=base)


def _depth(folder: str) -> int:
    """The number of folders in an absolute path, 0 for the root."""
    return len([part for part in folder.split("/") if part])


class RuleBook:
    """Rules by folder; the nearest one at or above a folder holds for it."""

    def __init__(self, rules: Mapping[str, NamingRule]) -> None:
        self.rules = dict(rules)
        self._by_folder: dict[str, NamingRule | None] = {}

    def find(self, folder: str) -> NamingRule | None:
        """The rule for the files of a folder; None if there is none at or above it."""
        if folder in self._by_folder:
            return self._by_folder[folder]
        rule = self._by_folder[folder] = self._find_nearest(self.rules, folder)
        return rule

    def after(self, options: NamingOptions, folders: Iterable[str]) -> "RuleBook":
        """The rules after a person said this of folders; it holds below them, too, whatever was said there before."""
        rules, ordered = dict(self.rules), sorted(self.rules)
        for folder in sorted(folders):  # each before those below it
            if options.forgets_rules:
                rules.pop(folder, None)
            nearest = RuleBook._find_nearest(rules, folder)
            rule = (
                NamingRule(folder) if nearest is None else nearest if nearest.folder == folder else nearest.at(folder)
            )
            if nearest is None or options:
                rules[folder] = options.applied_to(rule)
            for other in list_below(ordered, folder) if options else ():
                if options.says_camera_or_pattern:
                    rules.pop(other, None)
                elif other in rules:
                    rules[other] = options.applied_to(rules[other])
        return RuleBook(rules)

    @staticmethod
    def _find_nearest(rules: Mapping[str, NamingRule], folder: str) -> NamingRule | None:
        while folder not in rules and folder not in {"/", ""}:
            folder = folder.rpartition("/")[0] or "/"
        return rules.get(folder)

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
