"""Finding what must not leave: secrets in text and structure, numbers of persons."""
