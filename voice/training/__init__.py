"""How the embedded speech models were made: data, training, export and evaluation, one command each.

``python -m voice.training.recognizer`` makes the Mandarin recogniser (Vosk layout), ``python -m
voice.training.voiceprint`` the speaker encoder (ONNX and SpeechBrain). Nothing of the running product imports
this package; it needs the extra ``training``.
"""
