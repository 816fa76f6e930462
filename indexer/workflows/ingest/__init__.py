"""`ingest`: which files are new, what they are, and which row of the index they belong to."""
