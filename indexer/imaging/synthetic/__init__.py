"""Synthetic frames: scenes with sensor noise and objects that come and go, for the demo and for tests."""
