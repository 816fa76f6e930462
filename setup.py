"""The packages of a distribution: all of `indexer`, and the top-level migrations as `indexer.migrations`.

Everything else stands in pyproject.toml, which can only list packages by name or find them below one folder.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["indexer", "indexer.*"]), "indexer.migrations", "indexer.migrations.versions"],
    package_dir={"indexer.migrations": "migrations"},
)
