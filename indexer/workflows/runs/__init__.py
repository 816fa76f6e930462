"""What every writing command has around it: the lock, the row of the run, and the recovery of what a crash left
open."""
