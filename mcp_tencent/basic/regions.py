"""Regions as people call them. Source of codes and names: the product's public list of regions."""

from __future__ import annotations

NAMES = {
    "ap-guangzhou": "广州",
    "ap-shanghai": "上海",
    "ap-nanjing": "南京",
    "ap-beijing": "北京",
    "ap-chengdu": "成都",
    "ap-chongqing": "重庆",
    "ap-hongkong": "香港",
    "ap-singapore": "新加坡",
    "ap-jakarta": "雅加达",
    "ap-seoul": "首尔",
    "ap-tokyo": "东京",
    "ap-bangkok": "曼谷",
    "na-siliconvalley": "硅谷",
    "na-ashburn": "弗吉尼亚",
    "sa-saopaulo": "圣保罗",
    "eu-frankfurt": "法兰克福",
}


def region_name(code: str) -> str:
    """Return what people call a region; a code that is not known stays as it is."""
    return NAMES.get(code, code)


def is_region(said: str, code: str) -> bool:
    """Tell whether `said` (a code or a city) means the region `code`."""
    wanted = said.strip().lower().removesuffix("地域").removesuffix("区域")
    return wanted in (code, code.partition("-")[2], region_name(code))
