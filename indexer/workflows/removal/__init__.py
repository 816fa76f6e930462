"""Files that go and come back: `prune`, `restore`, `purge`, `rescue`, `recover`, `db adopt`."""
