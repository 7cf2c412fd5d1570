"""The alert of a failed run, to a webhook or a mail server on the loopback address."""

from __future__ import annotations

import pytest
from dagster import DagsterInstance, Failure, JobDefinition, build_run_status_sensor_context, job, op
from pytest_httpserver import HTTPServer

from pipelines.errors import UpstreamUnavailable
from pipelines.landing import messages
from pipelines.orchestration import automation
from pipelines.settings import Settings
from tests.smtp_server import serving


@op
def breaks() -> None:
    raise Failure(description="raw_rows_are_unique: raw rows share a key")


@job
def broken() -> None:
    breaks()


@op
def rambles() -> None:
    raise Failure(description="x" * 9_000)


@job
def wordy() -> None:
    rambles()


def _alert(settings: Settings, failing: JobDefinition = broken) -> None:
    sensor = automation.alert(settings)
    assert sensor is not None
    with DagsterInstance.ephemeral() as instance:
        run = failing.execute_in_process(instance=instance, raise_on_error=False)
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
    _alert(Settings(alert_webhook_url=httpserver.url_for("/hook")))
    [(request, _)] = httpserver.log
    text = request.get_json()["text"]
    assert "broken failed" in text
    assert "raw_rows_are_unique: raw rows share a key" in text
    assert text.startswith("metals-drivers: broken failed\nstep breaks: ")
    assert text.splitlines()[-1].startswith("Run ")


def test_a_webhook_that_refuses_fails_the_sensor_so_that_it_is_tried_again(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_data("no", status=500)
    with pytest.raises(UpstreamUnavailable, match="answered 500"):
        _alert(Settings(alert_webhook_url=httpserver.url_for("/hook")))


def test_a_long_reason_is_cut_and_the_run_still_named(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_data("ok")
    _alert(Settings(alert_webhook_url=httpserver.url_for("/hook")), wordy)
    [(request, _)] = httpserver.log
    text = request.get_json()["text"]
    assert len(text) <= messages.MAX_CHARS
    assert "step rambles: xxx" in text
    assert text.splitlines()[-1].startswith("Run ")


def test_a_failed_run_is_mailed_where_there_is_no_webhook() -> None:
    with serving() as server:
        mail = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_tls": "none"}
        _alert(Settings(smtp_from="metals@example.org", smtp_to="desk@example.org", **mail))
        [sent] = server.mails
    assert sent["Subject"] == "metals-drivers: broken failed"
    assert "step breaks: raw_rows_are_unique: raw rows share a key" in sent.get_content()


def test_without_a_channel_there_is_no_sensor() -> None:
    assert automation.alert(Settings(alert_webhook_url=None)) is None
