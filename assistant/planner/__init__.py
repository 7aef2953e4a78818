"""From a Mandarin sentence to calls of the tools: understood by lexicon and grammar, without a language model."""
