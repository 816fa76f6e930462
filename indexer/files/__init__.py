"""Files on the disk: walking folders, reading hashes, moving files without losing one.

The package knows paths, bytes and file systems; no database, no images, no cameras. Paths are text as from
`os.fsdecode`, so that every name a disk can hold survives a round trip.
"""
