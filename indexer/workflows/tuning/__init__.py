"""What other limits and profiles would decide (`sweep`), and how good decisions are (`evaluate`)."""
