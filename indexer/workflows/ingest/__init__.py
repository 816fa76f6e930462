"""`ingest`: which files are new, what they are, and which row they belong to."""
