"""What several step types let people choose in the same words."""

from __future__ import annotations

from node_catalog.sdk.text import text

STOP = text("stop the run", "停止运行")
LEAVE_EMPTY = text("leave it empty", "留空")
TAKE_OUT = text("take the row out", "分离该行")
