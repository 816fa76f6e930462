"""What lies on the disk: walking folders, reading hashes, moving files without losing one.

It knows paths, bytes and file systems; no database, no pictures, no cameras. Paths are text as from `os.fsdecode`, so
that every name a disk can hold survives a round trip.
"""
