"""The comparison of modes: what it runs, and what it makes of results. The runs themselves need Ray."""

import json
from pathlib import Path

import pytest

from training import cli, parallel_bench
from training.core.checkpoint import RunError
from training.core.worker_options import ParallelBenchOptions

RUN = {
    "seconds": 20.0,
    "curve": [[64, 10.4, 4.0], [640, 20.0, 3.0]],
    "top1": 0.1,
    "fates": {"used": 10, "stale": 2},
    "staleness": {"0": 8, "3": 4},
    "workers": {"worker-1": 10},
    "compute": 1.0,
    "spread": 0.1,
    "step": 0.01,
    "bytes": 40_000,
}


def options(tmp_path: Path, **changes) -> ParallelBenchOptions:
    return ParallelBenchOptions(**{"data": (Path("games.npz"),), "out": tmp_path, "workers": (1, 2), **changes})


def test_scenarios():
    names = [each.name for each in parallel_bench.scenarios(options(Path("x")))]
    equal = ["async 1", "async 2", "backup 2", "sync 2"]
    assert sorted(names) == sorted(equal + [f"{name}, {how}" for name in equal[1:] for how in ("one slow", "one stops")])
    assert [each.name for each in parallel_bench.scenarios(options(Path("x"), workers=(1,)))] == ["async 1"]


def test_table_model_and_picture(tmp_path):
    config = options(tmp_path)
    found = {"runs": {"async 1": RUN | {"staleness": {"0": 10}, "fates": {"used": 10}}, "async 2": RUN, "sync 2": RUN}}
    assert parallel_bench.pace_of(RUN) == pytest.approx(60)
    assert list(parallel_bench.rows(found))[1] == ("async 2", "60", "20", "3.000", "0.100", "1.00", "3", "2")
    found["model"] = parallel_bench._model(config, found["runs"])
    checks = found["model"]["checks"]
    assert checks["async 1"]["expected"] == pytest.approx(60, rel=1e-6)  # its latency is what was measured with one
    assert checks["async 2"]["expected"] == pytest.approx(120, rel=1e-6) and checks["async 2"]["expected_staleness"] == 1
    assert len(found["model"]["many"]) == 2 * 3 * 4 and len(found["model"]["assumptions"]) > 4
    text = parallel_bench.words(found)
    assert "async 2" in text and "1000  100 Gbit/s" in text and "- async: each worker has one gradient under way" in text
    parallel_bench.draw(found, tmp_path / "curves.svg")
    assert "<svg" in (tmp_path / "curves.svg").read_text()
    assert parallel_bench._model(config, {}) == {}


@pytest.mark.parametrize("text, said", [("{", "is no result"), ('{"format": "x", "options": {}}', "made with other options")])
def test_results_of_others_are_refused(tmp_path, text, said):
    (tmp_path / parallel_bench.RESULTS).write_text(text)
    with pytest.raises(RunError, match=said):
        parallel_bench.measure(options(tmp_path))
    (tmp_path / parallel_bench.RESULTS).write_text(json.dumps({"format": parallel_bench.FORMAT, "options": 1, "runs": {}}))
    with pytest.raises(RunError, match="take another --out folder"):
        parallel_bench.measure(options(tmp_path))


@pytest.mark.parametrize("words", ["--workers 0", "--gradients 1", "--slow 0.5", "--networks 0", "--stop never"])
def test_wrong_options(tmp_path, capsys, words):
    with pytest.raises(SystemExit) as ended:
        cli.main(["parallel-bench", "--data", "x.npz", "--out", str(tmp_path), *words.split()])
    assert ended.value.code == 2 and words.split()[0] in capsys.readouterr().err
