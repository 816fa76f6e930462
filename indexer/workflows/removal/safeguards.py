"""What protects a file from removal besides its own index: locks, records beside the images, second names.

It promises that

- a file is removed only while the folders that bear on it are locked;
- no record beside it names it as the last file that stands for a removed image;
- no second name of it is taken for another file; and
- the files that stand for it are verified again after its name was unlinked.

It removes nothing itself: see `indexer.workflows.removal.remove_file`.
"""

import errno
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from indexer.domain.removal import IndexedFile, RemovalCandidate
from indexer.files import io_steps
from indexer.files.folder_lock import FolderLocks, lock_folders
from indexer.files.markers import find_quarantine
from indexer.files.owners import Owner, add_owner
from indexer.files.quarantine import prepare_quarantine, quarantine_folder
from indexer.files.system_folders import is_in_separate_system_folder
from indexer.files.verification import (
    ContentDigest,
    FileIdentity,
    MismatchError,
    identity_of,
    is_same_directory_entry,
    may_be_same_file,
    verify,
    verify_again,
)
from indexer.files.witness_record import (
    WitnessEvent,
    WitnessLine,
    WitnessRecords,
    append,
    list_record_folders,
)
from indexer.store import images
from indexer.store.database import Database
from indexer.store.images import EqualFile
from indexer.workflows.witnesses import RunIdentity


class ProtectedError(Exception):
    """Why a file must stay: it is the last that stands for another, or a second name of one that stays."""


@dataclass(frozen=True)
class RequiredFiles:
    """The files that must still be there after another one was removed, each as it was checked a moment ago."""

    files: tuple[tuple[str, FileIdentity, ContentDigest], ...]

    def require(self) -> None:
        """Raises `MismatchError` if one of them is no longer there, or changed."""
        for path, checked, expected in self.files:
            try:
                verify_again(path, checked=checked, expected=expected)
            except MismatchError as problem:
                raise MismatchError(
                    f"{path!r}, which must stay, is gone with it, or changed: {problem.reason}"
                ) from problem


class Safeguards:
    """The safeguards of one prune: what it knows about the contents of its plan, and about the folders they lie in."""

    def __init__(self, database: Database, victims: Sequence[RemovalCandidate], *, run: RunIdentity) -> None:
        contents = {item.victim.content_hash for item in victims}
        with database.read() as session:
            equal = images.list_equal_ready(session, sorted(contents))
        self._equal_files = {content: {file.image_id: file for file in files} for content, files in equal.items()}
        self._names_by_content: dict[str, _ContentNames] = {}
        self._records = WitnessRecords(contents)
        self._run, self._database = run, database.address
        self._signed = set[tuple[str, str]]()
        self._default_quarantines: dict[str, str] = {}
        self._quarantine_by_folder: dict[str, str | None] = {}
        self._run_folders: dict[str, str] = {}
        self.synced_folders = set[str]()

    def quarantine(self, item: RemovalCandidate, *, override: str | None) -> str:
        """The quarantine for a file: the folder that a person named, else the default one."""
        return (
            self._default_quarantine(item.victim.root) if override is None else quarantine_folder("", override=override)
        )

    def record_folders(self, item: RemovalCandidate) -> tuple[str, ...]:
        """The default quarantines of a file and of its keeper, made if missing: their records tell of the removal.

        Raises `OSError` if one cannot be made.
        """
        roots = {file.root: self._default_quarantine(file.root) for file in (item.victim, item.keeper)}
        for root, folder in roots.items():
            self.prepare(folder, root=root)
        return tuple(dict.fromkeys(roots.values()))

    def prepare(self, quarantine: str, *, root: str) -> None:
        """Makes a quarantine if it is missing; its marker names this index. Raises `OSError`."""
        run = self._run
        owner = Owner(run.index_id, os.path.realpath(root), self._database, run.username, run.hostname)
        prepare_quarantine(quarantine, owner=owner)
        if (quarantine, root) not in self._signed:
            self._signed.add((quarantine, root))
            add_owner(quarantine, owner)

    @contextmanager
    def lock_for_removal(
        self, item: RemovalCandidate, *, written_folders: Sequence[str]
    ) -> Iterator[tuple[FolderLocks, list[str]]]:
        """Holds all locks that bear on a file and its keeper. Yields them, and the folders whose records bear on both.

        `written_folders`: the folders that this removal writes to. Raises `OSError` if a record that it writes could
        not be found by others from the files.
        """
        records = list_record_folders((item.victim.path, item.keeper.path))
        defaults = {os.path.realpath(self._default_quarantine(file.root)) for file in (item.victim, item.keeper)}
        missing = defaults - set(records)
        if missing:
            raise OSError(errno.ENOENT, "its record would not be found from the files", min(missing))
        with lock_folders([*records, *written_folders]) as locks:
            yield locks, records

    def examine(
        self,
        item: RemovalCandidate,
        *,
        victim_identity: FileIdentity,
        keeper_identity: FileIdentity,
        records: Sequence[str],
    ) -> RequiredFiles:
        """The files that must stay when this one is removed; raises `ProtectedError` if it must stay itself.

        Raises `OSError` if a record cannot be read, because the answer is then unknown.
        """
        for file in (item.victim, item.keeper):
            self._require_outside_quarantine(file)
        names = self._names_of(item.victim.content_hash)
        names.require_no_alias(item.victim, victim_identity)
        namesakes = list(names.list_namesakes(item.victim, victim_identity, token=self._run.token))
        if item.keeper.content_hash == item.victim.content_hash and may_be_same_file(keeper_identity, victim_identity):
            raise ProtectedError(f"its keeper {item.keeper.path!r} seems to be the same file, through another mount")
        required = [(item.keeper.path, keeper_identity, _content_digest(item.keeper)), *namesakes]
        if item.keeper.content_hash != item.victim.content_hash:
            lines = self._records.list_in_force(records, content_hash=item.victim.content_hash)
            required += [self._get_other_file(item.victim, victim_identity, lines)] if lines else []
        return RequiredFiles(tuple(required))

    def run_folder(self, quarantine: str) -> str:
        """The name of this run's own folder in a quarantine.

        An index from a backup may use run numbers again; if the folder exists, the name gets a part of the run's token.
        """
        if quarantine not in self._run_folders:
            name = f"run-{self._run.index_id[:8]}-{self._run.id}"
            exists = os.path.lexists(os.path.join(quarantine, name))
            self._run_folders[quarantine] = f"{name}-{self._run.token[:8]}" if exists else name
        return self._run_folders[quarantine]

    def record(self, event: WitnessEvent, item: RemovalCandidate, folders: Sequence[str], *, at: str) -> None:
        """Writes into the records that a file is about to be removed and what stands for it, or that this failed.

        Raises `OSError`.
        """
        line = WitnessLine(
            event=event,
            removed_hash=item.victim.content_hash,
            removed_size_bytes=item.victim.size_bytes,
            removed_path=item.victim.path,
            witness_hash=item.keeper.content_hash,
            witness_path=item.keeper.path,
            index_id=self._run.index_id,
            run_token=self._run.token,
            at=at,
        )
        for folder in folders:
            append(folder, line)

    def forget(self, item: RemovalCandidate) -> None:
        """Notes that a file was removed."""
        self._equal_files.get(item.victim.content_hash, {}).pop(item.victim.image_id, None)
        self._names_of(item.victim.content_hash).forget(item.victim.image_id)

    def _default_quarantine(self, root: str) -> str:
        if root not in self._default_quarantines:
            self._default_quarantines[root] = quarantine_folder(root)
        return self._default_quarantines[root]

    def _require_outside_quarantine(self, file: IndexedFile) -> None:
        folder = os.path.dirname(file.path)
        if folder not in self._quarantine_by_folder:
            self._quarantine_by_folder[folder] = find_quarantine(folder)
        quarantine = self._quarantine_by_folder[folder]
        if quarantine is not None:
            raise ProtectedError(f"{file.path!r} lies in the quarantine {quarantine!r}; run ingest and compare again")

    def _names_of(self, content_hash: str) -> "_ContentNames":
        if content_hash not in self._names_by_content:
            self._names_by_content[content_hash] = _ContentNames(list(self._equal_files.get(content_hash, {}).values()))
        return self._names_by_content[content_hash]

    def _get_other_file(
        self, victim: IndexedFile, victim_identity: FileIdentity, lines: Sequence[tuple[str, WitnessLine]]
    ) -> tuple[str, FileIdentity, ContentDigest]:
        """Another file of the content, read again; raises `ProtectedError` if there is none.

        It must lie where the same records are found from, so that they go on speaking for it. It may be in the plan
        itself: when it is examined in its turn, the files left then count, and the last one stays.
        """
        needed_folders = {folder for folder, _ in lines}
        for other in self._equal_files.get(victim.content_hash, {}).values():
            if (
                other.image_id == victim.image_id
                or find_quarantine(other.path)
                or is_in_separate_system_folder(other.path, victim.path)
            ):
                continue
            try:
                checked = verify(other.path, expected=_content_digest(victim))
            except MismatchError:
                continue
            is_another = not may_be_same_file(checked, victim_identity)
            if is_another and needed_folders <= set(list_record_folders([other.path])):
                return other.path, checked, _content_digest(victim)
        line = lines[0][1]
        raise ProtectedError(
            f"it is the last that stands for {line.removed_path!r}, which was removed by run {line.run_token[:8]} of "
            f"index {line.index_id[:8]} on {line.at[:10]}; bring that one back, or pin this one"
        )


class _ContentNames:
    """All indexed names of the files of one content, each looked up once."""

    def __init__(self, files: Sequence[EqualFile]) -> None:
        self._by_inode: dict[tuple[int, int], dict[int, EqualFile]] = defaultdict(dict)
        self._by_name: dict[str, dict[int, tuple[EqualFile, FileIdentity]]] = defaultdict(dict)
        self._keys: dict[int, tuple[tuple[int, int], str]] = {}
        for file in files:
            try:
                file_identity = identity_of(os.lstat(file.path))
            except OSError:
                continue
            key, name = (file_identity.device, file_identity.inode), os.path.basename(file.path)
            self._by_inode[key][file.image_id] = file
            self._by_name[name][file.image_id] = (file, file_identity)
            self._keys[file.image_id] = (key, name)

    def require_no_alias(self, victim: IndexedFile, victim_identity: FileIdentity) -> None:
        """Raises `ProtectedError` if another indexed path leads to the very name of this file, and would go with it.

        Real hard links each have a name of their own: there are no more indexed paths than the file has names.
        """
        same_inode = self._by_inode.get((victim_identity.device, victim_identity.inode), {})
        others = [file for file in same_inode.values() if file.image_id != victim.image_id]
        alias = next((file for file in others if is_same_directory_entry(victim.path, file.path)), None)
        if alias is None and others and len(others) + 1 > victim_identity.links:
            alias = next((file for file in others if file.pinned), others[0])
        if alias is not None:
            raise _alias_error(alias)

    def list_namesakes(
        self, victim: IndexedFile, victim_identity: FileIdentity, *, token: str
    ) -> Iterator[tuple[str, FileIdentity, ContentDigest]]:
        """Files with the same name on other devices, which must stay.

        Raises `ProtectedError` if one is this file, seen through another mount.
        """
        for file, checked in self._by_name.get(os.path.basename(victim.path), {}).values():
            if checked.device != victim_identity.device and file.image_id != victim.image_id:
                if _is_same_folder(os.path.dirname(victim.path), os.path.dirname(file.path), token=token):
                    raise _alias_error(file)
                yield file.path, checked, _content_digest(victim)

    def forget(self, image_id: int) -> None:
        """Notes that a file was removed."""
        if image_id in self._keys:
            key, name = self._keys.pop(image_id)
            self._by_inode[key].pop(image_id, None)
            self._by_name[name].pop(image_id, None)


def _alias_error(file: EqualFile) -> ProtectedError:
    return ProtectedError(
        f"{file.path!r} is the same file under another name, by a link or a second mount; ingest it by one name only"
    )


def _is_same_folder(folder: str, other: str, *, token: str) -> bool:
    """Whether two paths lead to one folder, as through two mounts: a file made in one is seen in the other.

    An overlay may go on showing files that are gone from the folder beneath it, because it caches their names
    (tests/e2e/test_mounts.py). It has nothing cached about a name that nobody looked up before.
    """
    probe = os.path.join(folder, f".indexer-probe-{token}")
    os.close(io_steps.create(probe))
    try:
        return os.path.lexists(os.path.join(other, os.path.basename(probe)))
    finally:
        io_steps.unlink(probe)


def _content_digest(file: IndexedFile) -> ContentDigest:
    return ContentDigest(file.size_bytes, file.content_hash)
