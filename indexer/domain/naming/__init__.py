"""How the camera and the time of an image are read from its path: folders, file names, patterns, and their siblings.

`indexer.domain.names` puts these parts together. All of them are pure functions of text and numbers.
"""
