"""`watch`: takes in the files that arrive in folders, and decides them, until it is stopped."""
