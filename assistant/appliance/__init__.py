"""The appliance at work: what the ear reports, the mind answers and the mouth says, in one place."""
