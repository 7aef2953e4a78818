"""Ear and mouth: voice activity, wake word, recognition, voiceprint, endpointing and synthesis."""
