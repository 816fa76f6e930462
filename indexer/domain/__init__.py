"""What the words mean: names, profiles, selection, removal. Plain Python; it knows no pixels, no SQL and no disk."""
