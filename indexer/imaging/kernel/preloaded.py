"""Importing this module loads the kernel. The fork server imports it, so no worker needs a second to load it."""

from indexer.imaging.matching import load_kernel

load_kernel()
