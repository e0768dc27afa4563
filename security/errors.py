"""Errors that every Django part of the product raises; ``studio/problems.py`` turns them into HTTP problems.

SecurityError               base: code, message (both languages), where, retry, status
├── NotSignedInError        401  no session and no token
├── SignInError             401  wrong name or password (never says which)
├── LockedError             429  too many failures; try again later
├── AddressRestsError       429  too many wrong sign-ins from one address
├── ForbiddenError          403  signed in, but the role is missing
├── NotFoundError           404  unknown, or not visible to this person: both look the same
├── ConflictError           409  somebody else was faster, or the object is in use
├── InvalidError            400  the input is wrong: every problem, each with its pointer
├── TooLargeError           413  the body or the upload is larger than allowed
├── AddressRefusedError     400  an outgoing connection to an address that is not allowed
└── SecretError             500  a sealed value cannot be opened (key file missing or changed)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from security.text import Text, text

Retry = Literal["fatal", "retry", "skip"]


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the input: where (RFC 6901 pointer), what, and what to do about it."""

    pointer: str
    code: str
    message: Text
    extra: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The shape that the API sends."""
        return {"pointer": self.pointer, "code": self.code, "message": self.message, **self.extra}


class SecurityError(Exception):
    """Base of the errors that people see. ``message`` says what, why and what to do, and never quotes data."""

    status: ClassVar[int] = 500
    retry: ClassVar[Retry] = "fatal"
    default_code: ClassVar[str] = "internal"
    default_message: ClassVar[Text] = text(
        "Something went wrong on our side. Please try again; if it stays, tell the operators the request id.",
        "系统内部出现问题。请重试；如果仍然出现，请把请求编号告诉运维人员。",
    )

    def __init__(
        self,
        code: str = "",
        message: Text | None = None,
        where: str = "",
        problems: Iterable[Any] = (),
    ) -> None:
        self.code = code or self.default_code
        self.message = message or self.default_message
        self.where = where
        self.problems = tuple(problems)
        super().__init__(f"{self.code}: {self.message.get('en', '')}")


class NotSignedInError(SecurityError):
    """Nobody is signed in, or the session or token has ended."""

    status = 401
    default_code = "auth.required"
    default_message = text("Please sign in first.", "请先登录。")


class SignInError(SecurityError):
    """Name and password do not fit together; the answer is the same for unknown names."""

    status = 401
    default_code = "auth.wrong"
    default_message = text(
        "The name or the password is wrong. Check both; after five wrong tries sign-in rests for 15 minutes.",
        "用户名或密码不正确。请检查后重试；连续输错五次，将暂停登录 15 分钟。",
    )


class LockedError(SecurityError):
    """Too many wrong passwords for this name; ``retry`` after the time named in the message."""

    status = 429
    retry = "retry"
    default_code = "auth.locked"
    default_message = text(
        "Too many wrong tries. Sign-in with this name rests for 15 minutes; an administrator can reset the password.",
        "输错次数过多，该用户名暂停登录 15 分钟；也可以请管理员重置密码。",
    )


class AddressRestsError(SecurityError):
    """Too many wrong sign-ins from this address, whatever the names were."""

    status = 429
    retry = "retry"
    default_code = "auth.address_rests"
    default_message = text(
        "Too many wrong sign-ins came from your network address. Wait a quarter of an hour, then try again.",
        "您所在网络地址的登录失败次数过多，请等待 15 分钟后重试。",
    )


class ForbiddenError(SecurityError):
    """The person is known, but none of their roles allows this."""

    status = 403
    default_code = "auth.forbidden"
    default_message = text(
        "Your role does not allow this. Ask a platform administrator for the right role.",
        "您的角色没有此项权限。如工作需要，请联系平台管理员授予相应角色。",
    )


class NotFoundError(SecurityError):
    """Unknown and invisible look the same, so nobody learns what exists elsewhere."""

    status = 404
    default_code = "not_found"
    default_message = text("This does not exist, or you have no right to see it.", "内容不存在，或您没有查看权限。")


class ConflictError(SecurityError):
    """The state has changed meanwhile, or the name is taken, or the object is still in use."""

    status = 409
    default_code = "conflict"
    default_message = text(
        "Somebody changed this at the same time. Load it again and repeat your change.",
        "该内容刚被他人修改。请刷新后重新修改。",
    )


class InvalidError(SecurityError):
    """The input does not fit; ``problems`` lists all of them, not just the first."""

    status = 400
    default_code = "invalid"
    default_message = text(
        "Some fields need correction; each problem is named at its field.", "部分内容需要更正，问题已标在对应的字段上。"
    )


class TooLargeError(SecurityError):
    """The body or the uploaded file is larger than the limit."""

    status = 413
    default_code = "too_large"
    default_message = text("This is larger than allowed.", "内容超过了允许的大小。")


class AddressRefusedError(SecurityError):
    """The address of an outgoing connection is not allowed (see ``security.outgoing``)."""

    status = 400
    default_code = "address.refused"
    default_message = text(
        "Connections to this address are not allowed. A platform administrator can open the network for nodes.",
        "不允许连接该地址。如确有需要，请平台管理员为节点开放该网段。",
    )


class SecretError(SecurityError):
    """A sealed value cannot be opened: its key is not in the key file, or the value was altered."""

    default_code = "secret.unreadable"
    default_message = text(
        "A stored password cannot be read: its key is missing. Enter the password again in the settings of the node.",
        "已保存的密码无法读取：缺少对应的密钥。请在节点设置中重新填写密码。",
    )
