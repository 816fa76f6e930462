"""HTML pages for people, made of plain values.

It promises that whatever a name contains is only text on the page, that every link is relative to the folder of the
report, and that a page needs nothing but that folder: no network, no server, and no script for reading. It knows no
SQL, no pixels and no disk: pictures are links, and other code writes the text to a file.

Decision: Jinja2 with three layers of protection. Autoescaping is on, so that a value cannot become markup. Every value
passes `indexer.escaping.printable` on its way (`finalize`), so that no direction mark or line end in a name reorders
the page; the one thing that must come through exactly, the paths in the CSV of verdicts, is passed as ASCII JSON in an
attribute. A Content-Security-Policy in each page allows pictures, one stylesheet and one script of the folder and
nothing else; Chromium and Firefox apply it on `file://`, too. Enforced by tests/web/test_browser.py.
"""
