"""The roles in words, as screens show them."""

from __future__ import annotations

from security.policy import BUSINESS, DATA_ADMIN, OPERATOR, PLATFORM_ADMIN
from security.text import Text, text

ROLE_WORDS: dict[str, dict[str, Text]] = {
    BUSINESS: {
        "title": text("Business staff", "业务人员"),
        "summary": text("Finds data, asks to use it, builds and runs apps.", "查找数据、申请使用、搭建并运行应用。"),
    },
    DATA_ADMIN: {
        "title": text("Data administrator", "数据管理员"),
        "summary": text(
            "Connects the department's sources, describes its datasets, decides who may use them.",
            "接入本部门数据源，完善数据集说明，审批使用申请。",
        ),
    },
    OPERATOR: {
        "title": text("Operator", "运维人员"),
        "summary": text(
            "Watches runs and workers: states, counts and times, never rows.",
            "监测运行与执行器：只看状态、数量和时间，不看数据内容。",
        ),
    },
    PLATFORM_ADMIN: {
        "title": text("Platform administrator", "平台管理员"),
        "summary": text(
            "Manages people, departments and roles; reads the audit trail; holds no right to data.",
            "管理人员、部门和角色，查看审计记录；不因此拥有数据权限。",
        ),
    },
}
