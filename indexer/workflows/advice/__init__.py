"""What is wrong with each camera: examine, list, dismiss, draw."""
