"""Plain values and pure rules: names, profiles, selection, removal. It knows no pixels, no SQL and no disk."""
