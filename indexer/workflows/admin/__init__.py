"""The index itself and its contents: `profile`, `status`, `audit`, `db copy`, `db check`, `demo`."""
