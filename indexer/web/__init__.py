"""HTML pages for people, made of plain values.

It promises that

- whatever a name contains is only text on the page;
- every link is relative to the folder of the report; and
- a page needs nothing but that folder: no network, no server, and no script for reading.

It knows no SQL, no pixels and no disk: pictures are links, and other code writes the text to a file.

Decision 0031: Jinja2 with three layers of protection.
"""
