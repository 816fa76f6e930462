"""`review`: people judge pairs in a browser, and each verdict is a committed, named row that can be undone."""
