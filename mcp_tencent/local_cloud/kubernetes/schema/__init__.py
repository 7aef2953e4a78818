"""What the API says of the shapes of its objects: which fields there are, and how lists in them merge."""
