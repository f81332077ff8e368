"""Metrics by OpenTelemetry, shown to Prometheus on /metrics; errors to Sentry when it is configured."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from prometheus_client import REGISTRY, generate_latest

from app.core.config import Settings
from app.core.logging import hide

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Metrics", "configure_sentry", "render_metrics"]

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The instruments of this process."""

    def __init__(self) -> None:
        self._provider = MeterProvider(
            metric_readers=[PrometheusMetricReader()],
            views=[View(instrument_name="*.duration", aggregation=ExplicitBucketHistogramAggregation(_BUCKETS))],
        )
        self._meter = self._provider.get_meter("soundscore")
        self._duration = self._meter.create_histogram("http.server.request.duration", unit="s")
        self._attributes: dict[tuple[str, str, int], Mapping[str, Any]] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Records one answered request. `route` is the path template, so that the number of series stays small."""
        key = (method, route, status)
        attributes = self._attributes.get(key)
        if attributes is None:
            attributes = {"http.request.method": method, "http.route": route, "http.response.status_code": status}
            self._attributes[key] = attributes
        self._duration.record(seconds, attributes)

    def gauge(self, name: str, description: str, read: Callable[[], int]) -> None:
        """Shows a number that is read when somebody looks."""

        def observe(_: CallbackOptions) -> Iterable[Observation]:
            return [Observation(read())]

        self._meter.create_observable_gauge(name, [observe], description=description)

    def close(self) -> None:
        """Takes the instruments from the registry."""
        self._provider.shutdown()


def render_metrics() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)


def configure_sentry(settings: Settings) -> None:
    """Reports errors where a DSN is set: what was logged as an error, and nothing of the request that led to it.

    Addresses of requests hold tickets and passwords of players; so the integrations that would add them stay off.
    """
    if settings.sentry_dsn:
        import sentry_sdk  # noqa: PLC0415 -- costs memory where it is not used

        sentry_sdk.init(
            settings.sentry_dsn,
            environment=settings.environment,
            auto_enabling_integrations=False,
            include_local_variables=False,
            max_breadcrumbs=0,
            before_send=_without_secrets,
        )


def _without_secrets(event: Any, _hint: Any) -> Any:
    event.pop("request", None)
    for exception in event.get("exception", {}).get("values", ()):
        exception["value"] = hide(exception.get("value") or "")
    entry = event.get("logentry", {})
    entry.update({name: hide(str(entry[name])) for name in ("message", "formatted", "params") if entry.get(name)})
    return event
