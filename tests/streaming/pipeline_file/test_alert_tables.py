"""Alerts in the pipeline file: what is read, and what of it depends on the rest of the file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from contract.alert_catalogue import ALERTS, measure_of, measures
from contract.pipeline import AlertSettings
from streaming.pipeline_file.load import PipelineError
from tests.streaming.pipelines import changed


def with_alerts(tmp_path: Path, toml: str) -> tuple[AlertSettings, ...]:
    return changed(tmp_path, ("[[examples]]", f"{toml}\n[[examples]]")).monitoring.alerts


def test_a_table_is_read_and_durations_are_seconds(tmp_path: Path) -> None:
    (own, changed_one) = with_alerts(
        tmp_path,
        '[monitoring.alerts.waiting]\nmetric = "hotpath_streaming_behind_records"\nabove = 1000\nfor = "2m"\n'
        'severity = "critical"\nno_data = "firing"\n[monitoring.alerts.tables_lag]\nabove = "5m"\noff = true',
    )
    assert own == AlertSettings(
        "waiting",
        "hotpath_streaming_behind_records",
        above=1000.0,
        lasts=timedelta(minutes=2),
        severity="critical",
        no_data="firing",
    )
    assert changed_one == AlertSettings("tables_lag", above=300.0, off=True)


def test_a_slice_is_one_of_training_or_the_producing_host(tmp_path: Path) -> None:
    table = '[monitoring.alerts.host_auc]\nmetric = "auc"\nbelow = 0.5\nslice = "producing_host"'
    with pytest.raises(PipelineError, match='there is no slice "producing_host"'):
        with_alerts(tmp_path, table)
    host = ('time = "read_at"', 'time = "read_at"\nhost = "site"')
    field = ('alarm = "boolean"', 'alarm = "boolean"\nsite = "string"')
    pipeline = changed(tmp_path, host, field, ("[[examples]]", f"{table}\n[[examples]]"))
    assert pipeline.monitoring.alerts[0].slice == "producing_host"
    level = changed(tmp_path, host, field, ("[[examples]]", f'{table[:-1]}=a"\n[[examples]]')).monitoring.alerts[0]
    assert level.slice == "producing_host=a"
    with pytest.raises(PipelineError, match="names no level"):
        changed(tmp_path, host, field, ("[[examples]]", f'{table[:-1]}="\n[[examples]]'))


def test_without_alerts_there_are_none_of_its_own(tmp_path: Path) -> None:
    assert with_alerts(tmp_path, "") == ()


def test_every_metric_of_the_catalogue_is_found_by_its_name_and_says_what_it_is() -> None:
    for name in measures():
        measure = measure_of(name)
        assert measure is not None
        assert measure.meaning.endswith("."), name
    assert measure_of("hotpath_streaming_batch_seconds") is None, "a histogram has no one value"
    assert measure_of("hotpath_clock_offset_seconds") is not None


def test_every_alert_has_its_words() -> None:
    for alert in ALERTS.values():
        assert alert.meaning.endswith("."), alert.name
        assert alert.remedy.endswith(".") or alert.remedy.endswith("?"), alert.name
        assert alert.command.startswith("./hotpath "), alert.name


def test_an_alert_that_is_changed_restarts_nothing(tmp_path: Path) -> None:
    table = "[monitoring.alerts.disk]\nbelow = {}\n[[examples]]"
    one, other = (changed(tmp_path, ("[[examples]]", table.format(n))) for n in (1, 2))
    assert (one.file_hash, one.rows_hash) == (other.file_hash, other.rows_hash)
    assert one.monitoring != other.monitoring
