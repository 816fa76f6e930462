"""What is remembered, and how: the only package that knows SQL.

One file per noun. A store function answers one question in the domain's words and types, never in rows; what differs
between SQLite and PostgreSQL is inside it and nowhere else. Transactions open and close in the workflows, through
`Database`.

Decision: SQLAlchemy's Session is the unit of work; there is no layer of repositories over it. Tables are made and
changed by Alembic alone; tests/store/test_schema.py compares the migrated schema with `tables.py`, constraints
included.
"""
