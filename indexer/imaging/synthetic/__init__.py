"""Frames that are made: scenes with sensor noise and things that come and go, for the demo and for tests."""
