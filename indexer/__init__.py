"""indexer: a database-backed index of the images that fixed cameras take.

The layers, top to bottom. A package imports only layers below its own (import-linter holds this inside pytest):

- ``cli``: the command line: commands, options, tables, JSON, exit codes; alone knows typer and rich
- ``settings``: the environment, read once
- ``workflows``: what the tool does; transactions open and close here
- ``store``: what is remembered, and how; alone knows SQL
- ``imaging`` | ``files`` | ``execution`` | ``web``: arrays and bytes of images; files on the disk; how work is spread
  over processes and machines; pages. They never import each other.
- ``domain``: plain values and pure rules: names, profiles, selection, removal
- ``errors`` | ``interrupts`` | ``escaping``: all that can go wrong; Ctrl-C, kept out of where it would tear something;
  how text of unknown origin is shown
"""

__version__ = "0.0.1"
