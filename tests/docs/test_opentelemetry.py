"""The page's metrics for OpenTelemetry."""

from dataclasses import asdict
from typing import Any

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from tests.docs.pages import DOCS, programs, run
from tests.engines import SERVERS
from tests.refresh.callers import Fleet, ask, by_id, driving
from tests.tokens import make_token

PAGE = DOCS / "operate" / "metrics.md"

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)


def test_opentelemetry(fleet: Fleet) -> None:
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader], shutdown_on_exit=False))
    program, observation = programs(PAGE, "OpenTelemetry")
    fleet.zoho.configure(delay=0.2)
    refused = fleet.stored()
    fleet.zoho.revoke(refused["refresh_token"])

    names = run(program, PAGE)
    run(observation, PAGE, names)
    with names["store"] as store, driving(store, fleet.zoho):
        for fields in (fleet.stored(), fleet.stored(), refused):
            ask(make_token(**by_id(fields)))
        data: Any = reader.get_metrics_data()

    (of_meter,) = data.resource_metrics[0].scope_metrics
    counts, durations, outcomes = (metric.data.data_points for metric in of_meter.metrics)
    assert {point.attributes["outcome"]: point.value for point in counts} == {
        "refreshed": 2,
        "refresh_refused": 1,
    }
    assert {point.attributes["outcome"]: point.count for point in durations} == {
        "refreshed": 2,
        "refresh_refused": 1,
    }
    assert all(point.min >= 0.2 for point in durations)
    told = {point.attributes["event"]: point.value for point in outcomes}
    assert told == asdict(store.refresh_stats())
    assert (told["refreshed"], told["refused"]) == (2, 1)
