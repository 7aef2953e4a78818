"""Whether the words so far are a whole command, so that a short pause ends them."""

from __future__ import annotations

import re
from functools import lru_cache

from assistant.live_names import spoken_names
from assistant.planner.inventory import Inventory
from assistant.planner.lexicon import load_lexicon
from assistant.planner.plan import Plan
from assistant.planner.planner import Planner
from mcp_tencent.gateway.call import Clock

_SURE = 0.9
"""Words that only perhaps are a command may be the beginning of a clearer one."""
_FEWEST_CHARACTERS = 6
_BEGINS_AN_ACT = re.compile(r"(请|麻烦|帮我|你|小智)*(把|将|给|让|叫|对|跟|替)")
_REMEMBERED = 64


class WholeCommands:
    """Asks the planner; the ear's thread asks many times about the same words, which are planned once.

    It has a planner of its own, for planners are used from one thread only.

    Args:
        clock: The time of the cloud that is talked about.
    """

    def __init__(self, clock: Clock) -> None:
        self._planner = Planner()
        self._clock = clock
        self.expect(Inventory())

    def expect(self, names: Inventory) -> None:
        """Count these names as known from now on; to be called in the ear's thread."""
        self._names = tuple(name for name in spoken_names(names) if len(name) > 1)
        self._planned = lru_cache(_REMEMBERED)(lambda text: self._plan(text, names))

    def __call__(self, text: str) -> bool:
        """Return whether these words, without spaces, surely are a whole command to act."""
        return self._planned(text)

    def _plan(self, text: str, names: Inventory) -> bool:
        outcome = self._planner.plan(text, inventory=names, now=self._clock.now())
        if not isinstance(outcome, Plan) or outcome.confidence < _SURE:
            return False
        tools = load_lexicon().tools
        acts = all(tools[call.tool].risk != "read" for call in outcome.calls)
        return acts or not self._may_begin(text)

    def _may_begin(self, text: str) -> bool:
        """Return whether words that ask for a look may be the beginning of something else.

        “把订单服务” and “订单服务” already ask how it is, and anything may follow; so may it a word or two.
        """
        short = len(text) < _FEWEST_CHARACTERS
        return short or _BEGINS_AN_ACT.match(text) is not None or text.endswith(self._names)
