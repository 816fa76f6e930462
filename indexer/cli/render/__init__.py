"""How reports read to a person: one file per group of commands; each function prints and decides nothing."""
