"""Every error of the packages that keep records can be spoken and has a hint."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from assistant import errors as assistant_errors
from assistant.errors import AssistantError
from mcp_tencent.devops import errors as devops_errors
from mcp_tencent.devops.errors import DevopsRecordError
from scheduler import errors as scheduler_errors
from scheduler.errors import SchedulerError


def tree(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for below in root.__subclasses__():
        yield from tree(below)


ALL = [error for root in (AssistantError, DevopsRecordError, SchedulerError) for error in tree(root)]


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_it_has_a_short_chinese_sentence_and_a_hint(error: type[AssistantError]):
    assert re.search(r"[\u4e00-\u9fff]", error.spoken)
    assert error.spoken.endswith("。")
    assert len(error.spoken) <= 40
    assert len(error.hint) > 10


@pytest.mark.parametrize("module", [assistant_errors, devops_errors, scheduler_errors])
def test_the_tree_that_is_drawn_is_the_tree_that_there_is(module):
    drawn = re.findall(r"[├└]── (\w+)", module.__doc__)
    root = next(error for error in ALL if error.__module__ == module.__name__)
    assert drawn == [error.__name__ for error in tree(root) if error.__module__ == module.__name__][1:]


@pytest.mark.parametrize("error", list(tree(AssistantError)), ids=lambda error: error.__name__)
def test_it_ends_a_command_with_an_exit_code_of_the_contract(error: type[AssistantError]):
    assert error.exit_code in {1, 2, 3, 4, 5}
