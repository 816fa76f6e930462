"""The index in its database: the only package that knows SQL.

One file per noun. A store function answers one question in the domain's words and types, never in rows. Differences
between SQLite and PostgreSQL stay inside it. Transactions open and close in the workflows, through `Database`.

Decision 0023: SQLAlchemy's Session is the unit of work; only Alembic makes and changes tables.
"""
