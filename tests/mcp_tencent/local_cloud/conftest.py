import contextlib

import pytest

from tests.mcp_tencent.local_cloud.story import Story, play


@pytest.fixture
def told():
    """Begin the story of a scenario: `told("overload")`; the cloud ends with the test."""
    with contextlib.ExitStack() as stack:

        def begin(scenario, *, namespace="shop"):
            cloud, clock = play(scenario)
            stack.enter_context(cloud)
            story = Story(cloud, clock, namespace=namespace)
            stack.callback(story.kubernetes.close)
            return story

        yield begin
