"""`python -m mcp_tencent.local_cloud`: the local cloud alone, without the assistant."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from mcp_tencent.local_cloud.errors import LocalCloudError, ScenarioError, ScenarioNotFoundError
from mcp_tencent.local_cloud.scenario.model import Scenario
from mcp_tencent.local_cloud.scenario.reading import shipped_scenarios
from mcp_tencent.local_cloud.serving import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 ok, 1 failed, 2 a scenario that is missing or wrong."""
    parser = argparse.ArgumentParser(prog="python -m mcp_tencent.local_cloud", description=__doc__)
    parser.add_argument("--scenario", default="yesterday", metavar="NAME or FILE")
    parser.add_argument("--port", type=int, default=0, help="0 (default): any free port")
    parser.add_argument("--json", action="store_true", help="say where it is as one line of JSON")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of scenario files")
    parser.add_argument("--list", action="store_true", help="list the shipped scenarios")
    chosen = parser.parse_args(arguments)
    if chosen.schema:
        print(json.dumps(Scenario.model_json_schema(), ensure_ascii=False, indent=2))  # noqa: T201
        return 0
    if chosen.list:
        print("\n".join(shipped_scenarios()))  # noqa: T201
        return 0
    try:
        serve(chosen.scenario, port=chosen.port, as_json=chosen.json, out=sys.stdout)
    except (ScenarioError, ScenarioNotFoundError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except LocalCloudError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
