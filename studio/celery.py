"""Celery as the doorbell: it says "look into the database", nothing more (docs/adr/database-is-the-truth.md).

A lost, doubled or late message changes nothing, so messages are acknowledged early, no result is kept, and workers
do not gossip. A broker that is down costs the sender two seconds at most.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from celery.app.amqp import AMQP
from django.conf import settings
from kombu.transport import virtual

from studio import env

env.name_settings()


def broker_url() -> str:
    """BROKER_URL (RabbitMQ), else REDIS_URL in the spelling that kombu wants, else a queue in this process."""
    if settings.BROKER_URL:
        return str(settings.BROKER_URL)
    url = str(settings.REDIS_URL)
    if not url:
        return "memory://"
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"redis+socket://{parts.path}"
    return url


def transport_options(url: str) -> dict[str, object]:
    """Redis' client closes quiet connections after five seconds unless told otherwise."""
    if url.startswith("redis"):
        return {
            "socket_timeout": 30,
            "socket_connect_timeout": 2,
            "retry_on_timeout": True,
            "health_check_interval": 25,
        }
    if url.startswith("amqp"):
        return {"confirm_publish": False, "max_retries": 1, "connect_timeout": 2}
    return {}


class Bells(AMQP):
    """Messages are forgotten by the broker as soon as it has handed them over: nobody keeps books of bells, which costs
    a third of what a bell costs.
    """

    def TaskConsumer(self, *args: Any, **more: Any) -> Any:  # noqa: N802 - Celery's name
        consumer = super().TaskConsumer(*args, no_ack=True, **more)
        if isinstance(consumer.channel, virtual.Channel):
            # Celery says that it has got each one all the same; Redis would be asked to strike it out of the books.
            consumer.channel.basic_ack = _nothing  # type: ignore[method-assign]
        return consumer


def _nothing(*args: Any, **more: Any) -> None:
    """Nobody waits for the word."""


app = Celery("citygo", amqp=Bells)
app.set_default()
_url = broker_url()
app.conf.update(
    broker_url=_url,
    broker_transport_options=transport_options(_url),
    broker_connection_timeout=2,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_default_queue="citygo",
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    result_backend=None,
    task_acks_late=False,
    task_publish_retry=False,
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    timezone="UTC",
)
app.autodiscover_tasks(["runtime"])
