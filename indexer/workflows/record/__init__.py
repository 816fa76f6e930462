"""record: looks at live cameras around the clock, and stores what they show that is new."""
