"""Drawn weights: shapes, dtypes, variances, orthogonality. A test of moments fails by chance once in 10⁶ keys."""
import numpy as onp
import pytest

from chainrule.engine import jit, nn, random
from chainrule.engine.errors import DtypeError, ShapeError
from tests.engine.laws import close

KEY = random.key(3)
init = nn.initializers
SHAPE = (60, 80)
# name: (the variance for 60 inputs and 80 outputs, the largest size or None)
SCALED = {
    "glorot_uniform": (2 / 140, (6 / 140) ** 0.5), "glorot_normal": (2 / 140, 2 / 0.8796 * (2 / 140) ** 0.5),
    "lecun_uniform": (1 / 60, (3 / 60) ** 0.5), "lecun_normal": (1 / 60, 2 / 0.8796 * (1 / 60) ** 0.5),
    "he_uniform": (2 / 60, (6 / 60) ** 0.5), "he_normal": (2 / 60, 2 / 0.8796 * (2 / 60) ** 0.5),
}


def moments(w, mean, variance):
    """Mean and variance within five standard errors; the fourth moment of all these is at most that of the normal."""
    w = onp.asarray(w)
    assert abs(w.mean() - mean) <= 5 * (variance / w.size) ** 0.5
    assert abs(((w - mean) ** 2).mean() - variance) <= 5 * variance * (2 / w.size) ** 0.5


@pytest.mark.parametrize("name", SCALED)
def test_scaled_weights_have_their_variance(name):
    variance, bound = SCALED[name]
    w = getattr(init, name)()(KEY, SHAPE)
    assert (w.shape, w.dtype) == (SHAPE, onp.float64)
    moments(w, 0.0, variance)
    assert onp.abs(w).max() <= bound * 1.001
    assert getattr(init, name)(dtype="float32")(KEY, SHAPE).dtype == onp.float32
    assert getattr(init, name)()(KEY, SHAPE, "float32").dtype == onp.float32


def test_the_two_names_of_a_rule_are_one():
    assert init.xavier_uniform is init.glorot_uniform and init.kaiming_normal is init.he_normal
    assert init.xavier_normal is init.glorot_normal and init.kaiming_uniform is init.he_uniform


@pytest.mark.parametrize("mode, n", [("fan_in", 3 * 3 * 8), ("fan_out", 3 * 3 * 50), ("fan_avg", 9 * 29),
                                     ("fan_geo_avg", 9 * 20)])
@pytest.mark.parametrize("distribution", ["normal", "truncated_normal", "uniform"])
def test_places_of_a_window_count_as_inputs_and_outputs(mode, n, distribution):
    moments(init.variance_scaling(1.5, mode, distribution)(KEY, (3, 3, 8, 50)), 0.0, 1.5 / n)


def test_axes_of_inputs_outputs_and_batch():
    moments(init.variance_scaling(1.0, "fan_in", "normal", 0, (1, 2), 3)(KEY, (10, 4, 5, 20)), 0.0, 1 / 10)


def test_plain_weights():
    assert onp.asarray(init.zeros(KEY, (2, 3))).tolist() == [[0.0] * 3] * 2
    assert init.ones(KEY, (2,), "int32").tolist() == [1, 1]
    assert init.constant(2.5)(KEY, (2,)).tolist() == [2.5, 2.5]
    moments(init.normal(0.3)(KEY, SHAPE), 0.0, 0.09)
    w = onp.asarray(init.uniform(0.5)(KEY, SHAPE))
    moments(w, 0.25, 0.25 / 12)
    assert w.min() >= 0 and w.max() < 0.5
    w = onp.asarray(init.truncated_normal(2.0, lower=-1.0, upper=1.0)(KEY, SHAPE))
    assert onp.abs(w).max() <= 2.0
    moments(w, 0.0, 4 * 0.2911251)                       # of a standard normal within one standard deviation


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (2, 3, 4)])
@pytest.mark.parametrize("axis", [-1, 0])
def test_orthogonal_weights_are_orthogonal(shape, axis):
    w = onp.moveaxis(onp.asarray(init.orthogonal(1.5, axis)(KEY, shape)), axis, 0)
    assert onp.moveaxis(w, 0, axis).shape == shape
    w = w.reshape(w.shape[0], -1)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    close(gram, 2.25 * onp.eye(len(gram)), 1e-13)
    close(jit(lambda k: init.orthogonal(1.5, axis)(k, shape))(KEY), init.orthogonal(1.5, axis)(KEY, shape), 1e-12)


def test_a_delta_is_orthogonal_in_the_middle():
    w = onp.array(init.delta_orthogonal()(KEY, (3, 5, 2, 4)))
    close(w[1, 2] @ w[1, 2].T, onp.eye(2), 1e-14)
    w[1, 2] = 0
    assert not w.any()


@pytest.mark.parametrize("call, error", [
    (lambda: init.glorot_normal()(KEY, (3,)), ShapeError), (lambda: init.orthogonal()(KEY, (3,)), ShapeError),
    (lambda: init.delta_orthogonal()(KEY, (3, 4, 2)), ShapeError),
    (lambda: init.variance_scaling(1.0, "fan", "normal"), ShapeError),
    (lambda: init.variance_scaling(1.0, "fan_in", "cauchy"), ShapeError),
    (lambda: init.normal()(KEY, (3,), "complex128"), DtypeError)])
def test_what_has_no_weights_is_refused(call, error):
    with pytest.raises(error):
        call()
