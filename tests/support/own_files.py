"""The names of the files that the tool itself puts into a quarantine: no test counts them among the images."""

from indexer.files.folder_lock import LOCK_NAME
from indexer.files.manifest import MANIFEST_NAME
from indexer.files.markers import QUARANTINE_MARKER
from indexer.files.witness_record import RECORD_NAME

OWN_FILES = {LOCK_NAME, MANIFEST_NAME, QUARANTINE_MARKER, RECORD_NAME}
