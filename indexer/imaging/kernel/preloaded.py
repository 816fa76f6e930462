"""Loads the kernel when it is imported. The fork server imports it, so that no worker needs time to load it.

It compiles nothing: the command does so once, and the fork server would do it beside the command a second time.
"""

from indexer.imaging.kernel.cache import is_stored
from indexer.imaging.matching import load_kernel

if is_stored("search") and is_stored("distances"):  # `load_kernel` loads both
    load_kernel()
