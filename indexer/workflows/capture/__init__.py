"""Videos: frames that show something new become images, and every other frame is counted in a span."""
