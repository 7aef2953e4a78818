"""Voices of espeak-ng: which are trained on, which are kept for measuring."""

from __future__ import annotations

_TRAINING_VOICES = """
f1 f2 f3 f5 m1 m2 m4 m5 m6 m8 adam Alex Alicia Andrea Andy antonio aunty belinda benjamin boris caleb david
Denis Diogo ed edward Gene gustave Henrique Hugo Jacky john kaukovalta Lee linda marcelo Marco Mario max
michel Mike miguel pablo paul pedro quincy rob robert
sandro shelby steph steph2 travis victor zac anika grandma
grandpa croak klatt klatt2 klatt4 klatt5 klatt6 norbert Storm RicishayMax RicishayMax3 iven iven2 iven4
robosoft robosoft4 edward2 Tweaky whisper whisperf AnxiousAndy
"""
_HELD_OUT_VOICES = """
f4 m3 m7 Annie Michael klatt3 iven3 RicishayMax2 steph3 robosoft6 announcer Nguyen Gene2
"""

TRAINING_VOICES = tuple(_TRAINING_VOICES.split())
"""Variants heard in training, beside the voice without a variant."""

HELD_OUT_VOICES = tuple(_HELD_OUT_VOICES.split())
"""Variants never trained on: only these may be measured with. klatt3 and robosoft6 hardly sound human."""
