"""Plates: axes with names."""
import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import jit, random, scan, vmap
from chainrule.ppl.handlers import seed, trace
from chainrule.ppl.model import stage_model
from chainrule.ppl.sites import Frame
from chainrule.ppl.sources import Subsample


def normal(name, loc=0.0, **options):
    return cr.sample(name, dist.Normal(loc, 1.0), **options)


def run(model):
    return trace(seed(model, 0)).get_trace()


def shapes(model):
    return {k: s["value"].shape for k, s in run(model).items()}


def one():
    with cr.plate("a", 3):
        normal("x")
        cr.sample("v", dist.Dirichlet(np.ones(2)))
        cr.sample("e", dist.Normal(np.zeros(4), 1.0).to_event(1))


def two():
    normal("top")
    with cr.plate("a", 3):
        normal("x")
        with cr.plate("b", 2):
            normal("y")
            normal("given", np.zeros((2, 3)))
            normal("stretched", np.zeros((2, 1)))
    with cr.plate("b", 2):
        normal("again")


def chosen():
    with cr.plate("a", 3, dim=-2):
        normal("x")
        with cr.plate("b", 2):
            normal("y")
    with cr.plate("a", 3, dim=-2), cr.plate("b", 2, dim=-1), cr.plate("c", 4, dim=-3):
        normal("z")


def larger():
    with cr.plate("a", 3):
        normal("x", np.zeros((5, 3)))
        normal("y", sample_shape=(2,))


def empty():
    with cr.plate("a", 0):
        normal("x")


CASES = {
    one: {"x": (3,), "v": (3, 2), "e": (3, 4)},
    two: {"top": (), "x": (3,), "y": (2, 3), "given": (2, 3), "stretched": (2, 3), "again": (2,)},
    chosen: {"x": (3, 1), "y": (3, 2), "z": (4, 3, 2)},
    larger: {"x": (5, 3), "y": (2, 3)},
    empty: {"x": (0,)},
}


@pytest.mark.parametrize("model", CASES, ids=lambda m: m.__name__)
def test_a_plate_gives_its_sites_an_axis(model):
    assert shapes(model) == CASES[model]
    assert shapes(jit(model)) == CASES[model]


def test_a_plate_yields_its_indices_and_may_be_used_again():
    rows = cr.plate("rows", 3)
    for _ in range(2):
        with rows as i:
            np.testing.assert_array_equal(i, [0, 1, 2])
    with rows, pytest.raises(cr.ppl.SiteError, match="same name"):
        with cr.plate("rows", 3):
            pass


def test_frames_are_recorded_innermost_first():
    frames = {k: s["cond_indep_stack"] for k, s in run(two).items()}
    assert frames["y"] == [Frame("b", -2, 2), Frame("a", -1, 3)]
    assert frames["x"] == [Frame("a", -1, 3)] and frames["top"] == []


def test_the_copies_in_a_plate_are_independent_and_share_nothing_with_other_plates():
    def model():
        with cr.plate("a", 100):
            normal("x")
            normal("column", np.zeros((2, 1)))
    x = {k: np.asarray(s["value"]) for k, s in run(model).items()}
    assert len(set(x["x"].tolist())) == 100 and len(set(x["column"].ravel().tolist())) == 200


def test_a_plate_survives_an_error_inside_of_it():
    with pytest.raises(ZeroDivisionError):
        with cr.plate("a", 3):
            raise ZeroDivisionError
    assert shapes(lambda: normal("x")) == {"x": ()}


def test_vmap_and_scan_stand_in_front_of_plates_on_either_side():
    def inside():
        def lane(i):
            with cr.plate("a", 3):
                return normal("x")
        return vmap(lane)(np.arange(4))

    def outside():
        with cr.plate("a", 3):
            return vmap(lambda i: normal("x"))(np.arange(4))

    def steps():
        with cr.plate("a", 3):
            return scan(lambda c, _: (c, normal("x")), 0.0, None, length=5)[1]

    assert shapes(inside) == shapes(outside) == {"x": (4, 3)} and shapes(steps) == {"x": (5, 3)}
    assert [f[:3] for f in run(inside)["x"]["cond_indep_stack"]] == [(None, None, 4), ("a", -1, 3)]


def test_a_jitted_function_is_staged_for_the_plates_that_it_is_used_in():
    f = jit(lambda: normal("x"))

    def model():
        with cr.plate("a", 3):
            return f()
    for _ in range(2):
        assert shapes(f) == {"x": ()} and shapes(model) == {"x": (3,)}


def test_plates_name_the_dimensions_of_their_sites():
    def model(y):
        with cr.plate("school", 3):
            theta = normal("theta")
            cr.deterministic("twice", 2.0 * theta)
            cr.deterministic("other", np.zeros((7, 2)))
            cr.sample("w", dist.MultivariateNormal(np.zeros(2), np.eye(2)))
            with cr.plate("year", 2):
                normal("effect")
        vmap(lambda i: normal("lane"), axis_name="player")(np.arange(4))
        vmap(lambda i: vmap(lambda j: normal("both"), axis_name="game")(np.arange(2)), axis_name="player")(np.arange(4))
        scan(lambda c, _: (c, normal("step")), 0.0, None, length=6)
        vmap(lambda i: scan(lambda c, _: (c, normal("path")), 0.0, None, length=6)[1], axis_name="player")(np.arange(4))
        normal("y", theta[0], obs=y)

    program, data = stage_model(model, (0.3,))
    assert program.describe(data).dims == {
        "theta": ["school"], "twice": ["school"], "other": [None, None], "w": ["school", None],
        "effect": ["year", "school"],
        "lane": ["player"], "both": ["player", "game"], "step": [None], "path": ["player", None], "y": []}
    assert {v.name: v.shape for v in program.latents}["path"] == (4, 6)


@pytest.mark.parametrize("size, count", [(1024, 5), (1500, 300)])
def test_a_part_of_a_large_plate_is_drawn_without_shuffling_it(size, count):
    """Different indices in a random order, each as often. z-tests at 4.5 sd: a false alarm in 70,000 runs."""
    draws = np.asarray(vmap(lambda key: Subsample(size, count).sample(key))(random.split(random.key(0), 2000)))
    assert draws.shape == (2000, count) and draws.min() >= 0 and draws.max() < size
    assert all(len(set(row)) == count for row in draws.tolist())
    for column in (draws[:, 0], draws[:, -1]):
        assert abs(column.mean() - (size - 1) / 2) < 4.5 * size / (12 * 2000) ** 0.5
    low = (draws < 10).sum(1)                            # hypergeometric
    share = count / size
    deviation = (10 * share * (1 - share) * (size - 10) / (size - 1)) ** 0.5
    assert abs(low.mean() - 10 * share) < 4.5 * deviation / 2000 ** 0.5
    assert abs(np.corrcoef(draws[:, 0], draws[:, -1])[0, 1]) < 4.5 / 2000 ** 0.5
