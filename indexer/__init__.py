"""indexer: a database-backed index of the images that fixed cameras take.

The layers, top to bottom. A package imports only layers below its own (import-linter holds this inside pytest):

- ``__main__``: starts the command line
- ``cli``: the command line: commands, options, tables, JSON, exit codes; alone knows typer and rich
- ``settings``: the settings from the environment, read once
- ``workflows``: what the tool does; transactions open and close here
- ``store``: the index in its database; alone knows SQL
- ``imaging`` | ``files`` | ``execution`` | ``web``: arrays and bytes of images; files on the disk; how work is
  distributed over processes and machines; HTML pages. They never import each other.
- ``domain``: plain values and pure rules: names, profiles, selection, removal
- ``errors`` | ``interrupts`` | ``escaping``: the known errors; Ctrl-C, delayed where it would break a transaction or a
  file; how text of unknown origin is shown
"""

__version__ = "0.1.0"
