"""Copies a whole index into another database: `db copy`."""
