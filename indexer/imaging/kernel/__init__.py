"""The compiled search: the same scores as with OpenCV, 10 to 50 times as fast."""
