"""Importing this loads the kernel: for the server that forks workers, so that none of them takes that second alone."""

from indexer.imaging.matching import load_kernel

load_kernel()
