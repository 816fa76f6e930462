"""`report`: pages to browse, written into a folder."""
