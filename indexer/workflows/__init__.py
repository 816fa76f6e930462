"""What the tool does: a package for each group of commands, in it a module for each command and for each of its parts.

Transactions open and close here, nowhere deeper. A workflow returns a report of plain values; it prints nothing, and
the clock, the executor and the progress callback are arguments.
"""
