"""My account: my data, password, tokens and inbox."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from security.access import principal_of
from security.api.described import PAGING, described, list_of, query
from security.api.inputs import Input, read_input
from security.api.outputs import MeOutput, NewTokenOutput, NoticeOutput, TokenOutput, me_json
from security.change_password import change_password
from security.change_person import change_own_data
from security.manage_tokens import MAX_DAYS, create_token, revoke_token
from security.models import Notice, Token
from security.notices import read_notices, unread_count
from security.paging import page_of


class MeInput(Input):
    """What people may change about themselves."""

    name = serializers.CharField(max_length=80, required=False)
    email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    language = serializers.ChoiceField(["zh-CN", "en"], required=False)
    theme = serializers.ChoiceField(["light", "dark", "system"], required=False)


class PasswordInput(Input):
    """The old and the new password."""

    current = serializers.CharField(max_length=1000, trim_whitespace=False)
    new = serializers.CharField(max_length=1000, trim_whitespace=False)


class TokenInput(Input):
    """A name to know the token by, and its term."""

    name = serializers.CharField(max_length=80)
    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, default=90)


class ReadInput(Input):
    """Which messages were read: some ids, or all."""

    ids = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=1000)
    all = serializers.BooleanField(default=False)


class UnreadOutput(serializers.Serializer):  # type: ignore[type-arg]
    """How many messages are left."""

    unread = serializers.IntegerField()


class MeView(APIView):
    """My own data."""

    @described("me_change", MeOutput, request=MeInput, problems=(401,), tag="me")
    def patch(self, request: Request) -> Response:
        """Change my name, e-mail, language or theme."""
        user = change_own_data(principal_of(request), read_input(MeInput, request.data), request)
        return Response(me_json(user))


class MyPasswordView(APIView):
    """My password."""

    is_open_before_password_change = True

    @described("me_password", MeOutput, request=PasswordInput, problems=(401, 429), tag="me")
    def post(self, request: Request) -> Response:
        """Change it; every other session and all tokens end."""
        values = read_input(PasswordInput, request.data)
        user = change_password(principal_of(request), values["current"], values["new"], request)
        return Response(me_json(user))


class TokensView(APIView):
    """My tokens."""

    @described("tokens_list", list_of(TokenOutput), problems=(401,), tag="me")
    def get(self, request: Request) -> Response:
        """Tokens that are not revoked, newest first; never their secrets."""
        tokens = Token.objects.visible_to(principal_of(request)).filter(revoked_at=None).order_by("-created_at")
        return Response({"results": TokenOutput(tokens[:200], many=True).data, "next": None})

    @described("tokens_create", NewTokenOutput, request=TokenInput, status=201, problems=(401, 409), tag="me")
    def post(self, request: Request) -> Response:
        """Make a token; its secret is in this answer and never again."""
        values = read_input(TokenInput, request.data)
        token, plain = create_token(principal_of(request), values["name"], values["days"], request)
        token.token = plain
        return Response(NewTokenOutput(token).data, status=201)


class TokenView(APIView):
    """One of my tokens."""

    @described("tokens_revoke", problems=(401, 404), tag="me")
    def delete(self, request: Request, token_id: str) -> Response:
        """End it at once."""
        principal = principal_of(request)
        token = Token.objects.get_visible(principal, pk=token_id, revoked_at=None)
        revoke_token(principal, token, request)
        return Response(status=204)


class NoticesView(APIView):
    """My inbox."""

    @described(
        "notices_list",
        list_of(NoticeOutput, unread=serializers.IntegerField()),
        problems=(401,),
        parameters=(*PAGING, query("unread", "1: only what is not read yet.", enum=["1"])),
        tag="me",
    )
    def get(self, request: Request) -> Response:
        """Messages, newest first."""
        principal = principal_of(request)
        notices = Notice.objects.visible_to(principal)
        if request.GET.get("unread") == "1":
            notices = notices.filter(read_at=None)
        page = page_of(notices, request, ("-id",))
        results = NoticeOutput(page.objects, many=True).data
        return Response({"results": results, "next": page.next, "unread": unread_count(principal.user)})


class ReadNoticesView(APIView):
    """Marking messages as read."""

    @described("notices_read", UnreadOutput, request=ReadInput, problems=(401,), tag="me")
    def post(self, request: Request) -> Response:
        """Mark these, or all."""
        principal = principal_of(request)
        values = read_input(ReadInput, request.data)
        read_notices(principal, None if values["all"] else values.get("ids", []))
        return Response({"unread": unread_count(principal.user)})
