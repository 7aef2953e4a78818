"""How the schema came to be what it is: one revision a file, applied in order by `assistant.database`."""
