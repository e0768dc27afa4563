"""Routes of this package under /api/."""

from __future__ import annotations

from django.urls import path

from security.api import audit, me, organisations, people, session

urlpatterns = [
    path("context", session.ContextView.as_view()),
    path("session", session.SessionView.as_view()),
    path("me", me.MeView.as_view()),
    path("me/password", me.MyPasswordView.as_view()),
    path("me/tokens", me.TokensView.as_view()),
    path("me/tokens/<uuid:token_id>", me.TokenView.as_view()),
    path("notices", me.NoticesView.as_view()),
    path("notices/read", me.ReadNoticesView.as_view()),
    path("organisations", organisations.OrganisationsView.as_view()),
    path("organisations/<uuid:organisation_id>", organisations.OrganisationView.as_view()),
    path("people", people.PeopleView.as_view()),
    path("people/import", people.ImportPeopleView.as_view()),
    path("people/<uuid:person_id>", people.PersonView.as_view()),
    path("people/<uuid:person_id>/reset-password", people.ResetPasswordView.as_view()),
    path("people/<uuid:person_id>/hand-over", people.HandOverView.as_view()),
    path("audit", audit.AuditView.as_view()),
]
