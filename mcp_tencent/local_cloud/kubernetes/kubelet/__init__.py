"""What happens on the nodes: containers that start, get ready, fail, and end."""
