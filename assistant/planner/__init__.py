"""From a Mandarin sentence to calls of the tools, by lexicon and grammar, without a language model."""
