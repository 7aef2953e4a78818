"""The healing policy: its parts, the file it is read from, the modes chosen for namespaces."""
