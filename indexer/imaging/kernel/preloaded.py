"""Loads the kernel when it is imported. The fork server imports it, so that no worker needs a second to load it."""

from indexer.imaging.matching import load_kernel

load_kernel()
