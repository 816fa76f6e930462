"""`compare`: searches for a keeper of each image, on this machine or on a cluster, and decides camera by camera."""
