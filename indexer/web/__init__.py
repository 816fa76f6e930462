"""Pages to look at: HTML made of plain values.

It promises that whatever a name holds is text on the page and nothing else, that every link is relative to the folder
of the report, and that a page needs nothing but that folder: no network, no server, no script to be read. It knows no
SQL, no pixels and no disk: pictures are links, and who writes the text to a file is not its business.

Decision: Jinja2 with three nets under each other. Autoescaping is on, so that a value cannot become markup. Every
value passes `indexer.escaping.printable` on its way (`finalize`), so that no direction mark or line end of a name
reorders the page; the one thing that must come through exactly, the paths in the CSV of verdicts, travels as ASCII
JSON in an attribute. A Content-Security-Policy in each page admits pictures, one stylesheet and one script of the
folder and nothing else; Chromium and Firefox hold it on `file://` too. Enforced by tests/web/test_browser.py.
"""
