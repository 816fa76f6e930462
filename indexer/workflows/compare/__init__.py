"""`compare`: each camera's images are searched for a keeper, on this machine or on a cluster, and decided."""
