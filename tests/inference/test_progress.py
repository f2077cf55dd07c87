"""The progress bars: when they are drawn, and what they say."""
import io

import numpy as onp

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random
from chainrule.inference import MCMC, NUTS, progress
from chainrule.inference.nuts import Info


def infos(n, step_size=0.25, num_steps=3, diverging=0):
    rows = Info(*[onp.zeros(n)] * len(Info._fields))
    return onp.stack(rows._replace(step_size=onp.full(n, step_size), num_steps=onp.full(n, float(num_steps)),
                                   diverging=onp.full(n, float(diverging))), -1)


def test_a_bar_for_each_chain_says_how_far_it_is(monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    out = io.StringIO()
    with progress.Progress(True, 2, 10, 40, file=out) as bars:
        bars.begin()
        bars.report(0, 8, infos(8, diverging=1))
        bars.report(1, 30, infos(30, step_size=0.5, num_steps=7, diverging=1))
        bars.show()
        bars.report(0, 16, infos(8, diverging=1))
        bars.report(1, 40, infos(10, num_steps=7))
    lines = out.getvalue().replace("\n", "\r").split("\r")
    last = {c: [line for line in lines if f"chain {c}" in line][-1] for c in (0, 1)}
    assert "16/40" in last[0] and "sampling, step size 0.25, 48 gradients, 6 divergences" in last[0]
    assert "40/40" in last[1] and "step size 0.25, 280 gradients, 20 divergences" in last[1]
    assert "8/40" in out.getvalue() and "warm-up" in out.getvalue()


def test_the_clock_starts_when_the_first_chunk_is_there(monkeypatch):
    out, now = io.StringIO(), [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    bars = progress.Progress(True, 1, 10, 20, file=out)
    now[0] += 60.0
    bars.show()                                          # compiling
    bars.begin()
    now[0] += 0.4
    bars.show()
    assert out.getvalue() == "" and not bars.bars
    now[0] += 0.2
    bars.show()
    bars.__exit__()
    assert "chain 0" in out.getvalue()


def test_bars_are_not_drawn_more_often_than_they_are_read(monkeypatch):
    now, drawn = [0.0], []
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    bars = progress.Progress(True, 1, 10, 20, file=io.StringIO())
    monkeypatch.setattr(bars, "_draw", drawn.append)
    bars.begin()
    for _ in range(1000):
        now[0] += 0.002
        bars.show()
    assert 10 <= len(drawn) <= 16


def one_site():
    cr.sample("x", dist.Normal(0.0, 1.0))


def test_a_short_run_shows_no_bar(capsys):
    MCMC(NUTS(one_site), num_warmup=20, num_samples=20, num_chains=2).run(random.key(0))
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_progress_bar_false_is_silent(capsys, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    MCMC(NUTS(one_site), num_warmup=20, num_samples=20, progress_bar=False).run(random.key(0))
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    MCMC(NUTS(one_site), num_warmup=20, num_samples=20, num_chains=2).run(random.key(0))
    captured = capsys.readouterr()
    assert captured.out == "" and "chain 1" in captured.err and "40/40" in captured.err


def test_the_placement_is_said_over_the_bars_and_many_chains_share_one(monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    out = io.StringIO()
    with progress.Progress(True, [5] * 30, 10, 40, "30 chains, 2 at a time on 2 cores", out) as bars:
        bars.begin()
        for c in range(30):
            bars.report(c, 20, infos(15, step_size=0.25 + 0.5 * (c % 2), diverging=c == 3))
        bars.show()
    text = out.getvalue().replace("\n", "\r").split("\r")
    assert [line for line in text if line][0] == "30 chains, 2 at a time on 2 cores"
    last = [line for line in text if "gradients" in line][-1]
    assert "30 chains" in last and "600/1200" in last
    assert "sampling, step size 0.5, 1350 gradients, 10 divergences" in last
