"""Loads the compiled local contrast when it is imported, if its code is stored; for the fork server of `ingest`."""

from indexer.imaging.preprocessing import load_compiled_contrast

load_compiled_contrast()
