"""Who may write to an index: one lock beside a SQLite file, advisory locks on PostgreSQL."""
