"""A whole day of 小智 on the local cloud, narrated: everything that is told comes from the run itself."""
