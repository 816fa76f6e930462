"""Plain values and pure rules: names, profiles, selection, removal. It does not know pixels, SQL or the disk."""
