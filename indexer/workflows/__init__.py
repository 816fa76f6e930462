"""What the tool does: one package per group of commands. In it, one module per command and per part of a command.

Transactions open and close here, and in no lower layer. A workflow returns a report of plain values. It prints nothing.
The clock, the executor and the progress callback are arguments.
"""
