"""The index itself and what is in it: `profile`, `status`, `audit`, `db copy`, `db check`, `demo`."""
