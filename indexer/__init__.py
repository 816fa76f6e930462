"""indexer: a database-backed index of the images that fixed cameras take.

The floors, top to bottom; a floor imports only floors below it (import-linter holds this inside pytest):

- ``door``: what a person sees: tables, JSON, progress, exit codes; the only floor that knows typer and rich
- ``settings``: database, limits, workers; read once, at the door
- ``workflows``: what the tool does, one file per verb
- ``store``: how it remembers; the only floor that knows SQL
- ``pixels`` | ``domain`` | ``files`` | ``engines``: what an image is; what the words mean; what lies on the disk; how
  work is spread. They never import each other.
- ``errors`` | ``interrupts``: all that can go wrong, in our words; Ctrl-C, kept out of where it would tear something
"""

__version__ = "0.0.1"
