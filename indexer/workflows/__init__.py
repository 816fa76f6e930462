"""What the tool does: one file per verb that a person types, each a page that can be read aloud.

Transactions open and close here, nowhere deeper. A workflow returns a report of plain values; it prints nothing, and
the clock, the engine and the progress callback are arguments.
"""
