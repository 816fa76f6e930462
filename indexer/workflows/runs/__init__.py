"""What every writing command needs: the lock, the row of the run, and the recovery after a crash."""
