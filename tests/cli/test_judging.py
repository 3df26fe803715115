"""`listener score` and `listener evaluate`: the scorer alone, in a pipe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.homes import Home, environment

pytestmark = pytest.mark.model

HOSTILE = b"I hate it, it broke\n\n\xff\xfe\x00\x1b[2J <script>\r\nlovely, thank you!\nwithout an end"


def test_each_line_gets_one_answer_in_its_order(home: Home) -> None:
    ended = home.command("score", given=HOSTILE)
    assert ended.code == 0, ended.err
    answers = [json.loads(line) for line in ended.out.splitlines()]
    assert [answer["text"] for answer in answers] == [
        "I hate it, it broke", "", "\ufffd\ufffd\x00\x1b[2J <script>", "lovely, thank you!", "without an end",
    ]  # fmt: skip
    assert [answers[0]["label"], answers[3]["label"]] == ["negative", "positive"]
    assert answers[1]["certainty"] == "unsure"
    assert answers[1]["confidence"] == 0
    assert [answers[at]["language"] for at in (0, 1)] == ["en", "unknown"]
    for answer in answers:
        assert set(answer) == {
            "text", "label", "confidence", "certainty", "negative", "neutral", "positive", "language", "scorer",
        }  # fmt: skip
        assert answer["negative"] + answer["neutral"] + answer["positive"] == pytest.approx(1, abs=1e-3)
        assert "@" in answer["scorer"]


def test_score_needs_no_configuration_and_minds_no_broken_one(home: Home) -> None:
    home.config.write_text("this is [not TOML")
    ended = home.command("score", "--no-text", given=b"I hate it\n", LISTENER_CONFIG="nowhere.toml")
    assert ended.code == 0, ended.err
    assert "text" not in json.loads(ended.out)
    assert home.command("score", "--config", "listener.toml").code == 3


def test_a_slow_writer_is_answered_at_once(home: Home) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "listener", "score"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(), cwd=home.folder,
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        for text in (b"first\n", b"second\n"):
            child.stdin.write(text)
            child.stdin.flush()
            assert json.loads(child.stdout.readline())["text"] == text.decode().strip()
        child.stdin.close()
        assert child.wait(30) == 0


def test_a_reader_that_has_enough_ends_it_quietly(home: Home) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "listener", "score"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(), cwd=home.folder,
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdin.write(b"one line\n")
        child.stdin.flush()
        child.stdout.readline()
        child.stdout.close()
        child.stdin.write(b"another line\n")
        child.stdin.flush()
        assert child.wait(30) == 141
        assert child.stderr.read() == b""


def test_ctrl_c_ends_it_quietly(home: Home) -> None:
    import signal

    with subprocess.Popen(
        [sys.executable, "-m", "listener", "score"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(), cwd=home.folder,
        # A shell that starts the tests in the background hands down an ignored Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdin.write(b"one line\n")
        child.stdin.flush()
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait(30) == 130
        assert child.stderr.read() == b""


LABELLED = (
    '{"text": "I hate it, it is broken and nobody answers", "label": "negative", "extra": 1}\n'
    '{"text": "The shop opens at nine.", "label": "neutral"}\n\n'
    '{"text": "I love it, thank you so much!", "label": "positive"}\n'
)


def test_evaluate_answers_with_these_very_keys(home: Home, command: Command) -> None:
    (home.folder / "rows.jsonl").write_text(LABELLED)
    ended = command("evaluate", "rows.jsonl", "--json")
    assert ended.code == 0, ended.err
    report = ended.json
    assert isinstance(report, dict)
    assert {
        "macro_recall", "macro_f1", "negative_recall", "negative_precision", "negative_recall_at_p90", "negative_auc",
        "ece", "confusion", "texts_per_second",
    } <= set(report)  # fmt: skip
    assert report["confusion"]["labels"] == ["negative", "neutral", "positive"]
    assert sum(map(sum, report["confusion"]["matrix"])) == 3
    table = command("evaluate", "rows.jsonl")
    assert "macro recall" in table.out
    assert "3 rows" in table.out


@pytest.mark.parametrize("content", ["", "hello\n", '{"text": "x", "label": "angry"}\n', '{"text": 1}\n'])
def test_rows_that_are_no_rows_are_named(home: Home, command: Command, content: str) -> None:
    (home.folder / "rows.jsonl").write_text(content)
    ended = command("evaluate", "rows.jsonl")
    assert ended.code == 1
    assert ended.err.startswith("listener: ")
    assert not content or "rows.jsonl:1" in ended.err
    assert command("evaluate", str(Path("nowhere.jsonl"))).code == 1
