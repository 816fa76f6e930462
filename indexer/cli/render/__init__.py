"""Reports as text for people: one file per group of commands; each function prints and decides nothing."""
