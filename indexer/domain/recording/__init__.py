"""Rules of recording live cameras: plain values, with the clock as an argument."""
