"""The commands: one file per group, each with its options, one workflow, one report and an exit code."""
