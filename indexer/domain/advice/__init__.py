"""What is wrong with a camera: rules on measurements of its frames, as pure functions."""
