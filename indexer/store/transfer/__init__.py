"""How a whole index gets into another database: `db copy`."""
