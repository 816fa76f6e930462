#!/usr/bin/env python3
"""Starts the command line of indexer."""

import sys

from indexer.__main__ import run

if __name__ == "__main__":
    sys.exit(run())
