"""Loads the kernel when it is imported. The fork server imports it, so that no worker needs time to load it.

It compiles nothing: the command does so once, and the fork server would do it beside the command a second time.
"""

from indexer.imaging.matching import is_kernel_stored, load_kernel

if is_kernel_stored():
    load_kernel()
