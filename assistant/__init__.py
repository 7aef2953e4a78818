"""The mind: settings, people, conversation, planning, digest delivery and the command line."""
