"""The index in its database: the only package that knows SQL.

One file per noun. A store function answers one question in the domain's words and types, never in rows. Differences
between SQLite and PostgreSQL stay inside it. Transactions open and close in the workflows, through `Database`.

Decision: SQLAlchemy's Session is the unit of work; there is no layer of repositories over it. Only Alembic makes and
changes tables; tests/store/test_schema.py compares the migrated schema with `tables.py`, constraints included.
"""
