"""Who works in the demo city: departments and people.

Their passwords are public: the demo is for trying, never for real data.
"""

from __future__ import annotations

from dataclasses import dataclass

from security.text import Text, text

PASSWORD = "Demo-City-2026"  # noqa: S105  printed at the start and in the README on purpose


@dataclass(frozen=True)
class Department:
    """A department: its code, its place in the tree, its name."""

    code: str
    parent: str
    name: Text


@dataclass(frozen=True)
class DemoPerson:
    """Somebody who may sign in to the demo."""

    username: str
    name: str
    department: str
    roles: tuple[str, ...]
    role_words: str
    language: str = "zh-CN"
    is_offered: bool = True
    """Whether the start and the sign-in page name them; the others keep their department's data."""
    password: str = PASSWORD


DEPARTMENTS = (
    Department("city", "", text("Demo City Government", "示范市人民政府")),
    Department("data-centre", "city", text("Big Data Centre", "大数据中心")),
    Department("data-apps", "data-centre", text("Data Applications Office", "数据应用科")),
    Department("environment", "city", text("Ecology and Environment Bureau", "生态环境局")),
    Department("env-monitoring", "environment", text("Environmental Monitoring Station", "环境监测站")),
    Department("weather", "city", text("Meteorological Bureau", "气象局")),
    Department("market", "city", text("Market Regulation Bureau", "市场监督管理局")),
    Department("transport", "city", text("Transport Bureau", "交通运输局")),
)

PEOPLE = (
    DemoPerson("wang.fang", "王芳", "data-centre", ("business",), "business staff 业务人员 · 大数据中心"),
    DemoPerson("li.qiang", "李强", "city", ("data_admin",), "data admin 数据管理员 · 示范市人民政府"),
    DemoPerson("zhao.min", "赵敏", "data-centre", ("operator",), "operator 运维 · 大数据中心"),
    DemoPerson("admin", "周岚", "city", ("platform_admin",), "platform admin 平台管理员"),
    DemoPerson("chen.jing", "陈静", "market", ("data_admin", "business"), "data admin 数据管理员 · 市场监督管理局"),
    DemoPerson("liu.yang", "刘洋", "environment", ("business",), "business staff 业务人员 · 生态环境局"),
    DemoPerson(
        "lin.tao", "林涛", "data-centre", ("data_admin",), "data admin 数据管理员 · 大数据中心", is_offered=False
    ),
    DemoPerson(
        "xie.lan", "谢兰", "environment", ("data_admin",), "data admin 数据管理员 · 生态环境局", is_offered=False
    ),
    DemoPerson("tang.wei", "唐伟", "weather", ("data_admin",), "data admin 数据管理员 · 气象局", is_offered=False),
    DemoPerson("sun.lei", "孙磊", "transport", ("data_admin",), "data admin 数据管理员 · 交通运输局", is_offered=False),
    DemoPerson("emma.clark", "Emma Clark", "data-centre", ("business",), "business staff, in English", "en"),
)


def accounts() -> list[dict[str, object]]:
    """What the sign-in page of a demo offers."""
    return [
        {
            "username": person.username,
            "password": person.password,
            "name": {"en": person.username.replace(".", " ").title(), "zh-CN": person.name},
            "role": person.roles[0],
        }
        for person in PEOPLE
        if person.is_offered
    ]
