"""The regions of Tencent Cloud, as DescribeRegions lists them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Region:
    """A place where resources live."""

    name: str
    number: int
    alias: str


REGIONS = {
    region.name: region
    for region in (
        Region("ap-guangzhou", 1, "gz"),
        Region("ap-shanghai", 4, "sh"),
        Region("ap-hongkong", 5, "hk"),
        Region("ap-beijing", 8, "bj"),
        Region("ap-singapore", 9, "sg"),
        Region("na-siliconvalley", 15, "usw"),
        Region("ap-chengdu", 16, "cd"),
        Region("eu-frankfurt", 17, "de"),
        Region("ap-seoul", 18, "kr"),
        Region("ap-chongqing", 19, "cq"),
        Region("na-ashburn", 22, "use"),
        Region("ap-bangkok", 23, "th"),
        Region("ap-tokyo", 25, "jp"),
        Region("ap-nanjing", 33, "nj"),
        Region("ap-jakarta", 72, "jkt"),
        Region("sa-saopaulo", 74, "sao"),
    )
}
