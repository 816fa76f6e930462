"""The configuration file `indexer.toml`."""
