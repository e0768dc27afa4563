"""Sentences for what goes wrong before any package of ours has a say: by problem code."""

from __future__ import annotations

from collections.abc import Mapping

from security.text import Text, text

MESSAGES: Mapping[str, Text] = {
    "request.invalid": text(
        "The request could not be read. Reload the page and try again.", "无法识别该请求。请刷新页面后重试。"
    ),
    "request.json": text(
        "The body is not valid JSON, so nothing was changed. Check it for missing quotes, commas or brackets.",
        "提交的内容不是有效的 JSON，未做任何更改。请检查引号、逗号和括号是否完整。",
    ),
    "request.too_large": text(
        "The body is larger than 10 MB. Upload large files under My files instead.",
        "提交的内容超过 10 MB。较大的文件请通过“我的文件”上传。",
    ),
    "request.host": text(
        "The studio does not answer to this host name. An administrator can add it with the option ALLOWED_HOSTS.",
        "平台不接受以该主机名访问。管理员可通过选项 ALLOWED_HOSTS 添加。",
    ),
    "request.method": text(
        "This address does not take that kind of request (method).", "该地址不支持这种请求方式（method）。"
    ),
    "request.media_type": text(
        "This address takes another content type; send JSON unless its documentation says otherwise.",
        "该地址不接受这种内容类型；除文档另有说明外，请提交 JSON。",
    ),
    "request.accept": text(
        "The answer cannot be given in the format that was asked for.", "无法按所要求的格式返回结果。"
    ),
    "request.throttled": text("Too many requests. Wait a moment and try again.", "请求过于频繁，请稍候再试。"),
    "auth.csrf": text(
        "The page is too old to send this safely. Reload it and try again.",
        "页面已过期，无法安全提交。请刷新页面后重试。",
    ),
    "auth.required": text("Please sign in first.", "请先登录。"),
    "auth.forbidden": text(
        "Your role does not allow this. Ask a platform administrator for the right role.",
        "您的角色没有此项权限。如工作需要，请联系平台管理员授予相应角色。",
    ),
    "not_found": text("This does not exist, or you have no right to see it.", "内容不存在，或您没有查看权限。"),
    "conflict": text(
        "Somebody changed this at the same time. Load it again and repeat your change.",
        "该内容刚被他人修改。请刷新后重新修改。",
    ),
    "database.down": text(
        "The studio's database does not answer right now; nothing was lost or half-saved. Try again in a few seconds.",
        "平台数据库暂时没有响应；数据没有丢失，也没有只保存一半。请几秒后重试。",
    ),
    "internal": text(
        "Something went wrong on our side. Please try again; if it stays, tell the operators the request id.",
        "系统内部出现问题。请重试；如果仍然出现，请把请求编号告诉运维人员。",
    ),
}

TITLES: Mapping[int, Text] = {
    400: text("Please check the input", "请检查输入内容"),
    401: text("Please sign in", "请先登录"),
    403: text("Not allowed", "没有权限"),
    404: text("Not found", "没有找到"),
    405: text("Not possible here", "此处不支持该操作"),
    406: text("Not possible here", "此处不支持该操作"),
    409: text("Changed meanwhile", "内容已变化"),
    410: text("No longer here", "内容已失效"),
    413: text("Too large", "内容过大"),
    415: text("Wrong kind of content", "内容类型不符"),
    422: text("Not ready yet", "尚不能执行"),
    429: text("Please wait a moment", "请稍候再试"),
    500: text("Our mistake", "系统出现问题"),
    502: text("The other side does not answer", "对方系统没有响应"),
    503: text("Not available right now", "暂时无法使用"),
}
