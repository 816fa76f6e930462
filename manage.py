#!/usr/bin/env python3
"""Starts the command line of indexer."""

import sys

from indexer.cli.app import app
from indexer.cli.main import main

if __name__ == "__main__":
    sys.exit(main(app, sys.argv[1:]))
