"""`report`: writes HTML pages to browse into a folder."""
