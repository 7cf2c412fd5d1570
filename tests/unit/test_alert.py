"""The alert of a failed run, posted to a webhook on the loopback address."""

from __future__ import annotations

import pytest
from dagster import DagsterInstance, Failure, build_run_status_sensor_context, job, op
from pytest_httpserver import HTTPServer

from pipelines.errors import UpstreamUnavailable
from pipelines.orchestration import automation
from pipelines.settings import Settings


@op
def breaks() -> None:
    raise Failure(description="raw_rows_are_unique: raw rows share a key")


@job
def broken() -> None:
    breaks()


def _alert(url: str) -> None:
    sensor = automation.alert(Settings(alert_webhook_url=url))
    assert sensor is not None
    with DagsterInstance.ephemeral() as instance:
        run = broken.execute_in_process(instance=instance, raise_on_error=False)
        assert not run.success
        context = build_run_status_sensor_context(
            sensor_name=sensor.name,
            dagster_instance=instance,
            dagster_run=run.dagster_run,
            dagster_event=next(e for e in run.all_events if e.is_run_failure),
        ).for_run_failure()
        sensor(context)


def test_a_failed_run_is_posted_once_with_its_job_and_reason(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    _alert(httpserver.url_for("/hook"))
    [(request, _)] = httpserver.log
    text = request.get_json()["text"]
    assert "broken failed" in text
    assert "raw_rows_are_unique: raw rows share a key" in text
    assert "step breaks" in text


def test_a_webhook_that_refuses_fails_the_sensor_so_that_it_is_tried_again(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_data("no", status=500)
    with pytest.raises(UpstreamUnavailable, match="answered 500"):
        _alert(httpserver.url_for("/hook"))


def test_without_a_webhook_there_is_no_sensor() -> None:
    assert automation.alert(Settings(alert_webhook_url=None)) is None
