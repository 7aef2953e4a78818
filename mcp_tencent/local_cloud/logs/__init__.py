"""The log service of the local cloud: generated and uploaded lines, searched and analysed as CLS does."""
