"""The documents of `--json`: every key with its type and meaning, written down here and nowhere else.

The commands build their documents by these definitions, `docs/json.md` is made from them, and a test compares what
every command writes. The keys are public. A rename of an internal class or attribute does not change them.

Decision 0038: the keys of JSON documents are defined here, apart from the classes of reports.
"""
