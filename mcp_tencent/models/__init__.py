"""What the clouds are made of, as frozen types: the language of adapters, tools and clock."""
