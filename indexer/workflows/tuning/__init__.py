"""What other limits and profiles would decide: `sweep`, `evaluate`."""
