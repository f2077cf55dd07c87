"""The export to ArviZ: groups, dimensions, coordinates and errors, in both lines of ArviZ."""
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import chainrule
from chainrule.inference.arviz import _arviz, to_arviz

az = _arviz()
LINE = int(az.__version__.split(".")[0])          # 0: InferenceData, 1: DataTree


def draws(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


SCHOOLS = ["A", "B", "C", "D", "E"]
GROUPS = {
    "posterior": {"mu": draws(4, 50), "theta": draws(4, 50, 5), "L": draws(4, 50, 2, 2)},
    "sample_stats": {"lp": draws(4, 50), "diverging": np.zeros((4, 50), bool), "energy": draws(4, 50),
                     "acceptance_rate": np.full((4, 50), 0.8), "n_steps": np.full((4, 50), 7),
                     "tree_depth": np.full((4, 50), 3), "step_size": np.full((4, 50), 0.1)},
    "warmup_posterior": {"mu": draws(4, 20), "theta": draws(4, 20, 5)},
    "warmup_sample_stats": {"lp": draws(4, 20)},
    "log_likelihood": {"y": draws(4, 50, 5)},
    "prior": {"mu": draws(1, 30), "theta": draws(1, 30, 5)},
    "prior_predictive": {"y": draws(1, 30, 5)},
    "posterior_predictive": {"y": draws(4, 50, 5)},
    "observed_data": {"y": draws(5)},
    "constant_data": {"sigma": np.arange(5.), "scale": np.array(2.5)},
}
DIMS = {"theta": ["school"], "y": ["school"], "sigma": ["school"], "L": ["row", None]}


@pytest.fixture
def data():
    return to_arviz(**GROUPS, dims=DIMS, coords={"school": SCHOOLS}, attrs={"model": "eight schools"})


def names_of(data):
    return set(data.children) if LINE else set(data._groups_all)


def test_every_group_and_value_arrives(data):
    assert names_of(data) == set(GROUPS)
    for group, arrays in GROUPS.items():
        assert set(data[group].data_vars) == set(arrays)
        for name, x in arrays.items():
            np.testing.assert_array_equal(data[group][name].values, x)
            assert data[group][name].dtype == x.dtype
    assert data.attrs["model"] == "eight schools"
    assert data["posterior"].attrs["inference_library"] == "chainrule"


def test_the_result_is_what_the_line_of_arviz_uses(data):
    assert type(data).__name__ == ("DataTree" if LINE else "InferenceData")


def test_dimensions_have_the_given_or_the_default_names(data):
    posterior = data["posterior"]
    assert posterior["mu"].dims == ("chain", "draw")
    assert posterior["theta"].dims == ("chain", "draw", "school")
    assert posterior["L"].dims == ("chain", "draw", "row", "L_dim_0")
    assert data["observed_data"]["y"].dims == ("school",)
    assert data["constant_data"]["scale"].dims == ()
    unnamed = to_arviz(posterior={"L": draws(2, 10, 3, 4)})["posterior"]["L"]
    assert unnamed.dims == ("chain", "draw", "L_dim_0", "L_dim_1")


def test_default_names_are_those_of_arviz():
    arrays = {"L": draws(2, 10, 3, 4), "x": draws(2, 10)}
    theirs = az.from_dict({"posterior": arrays}) if LINE else az.from_dict(posterior=arrays)
    ours = to_arviz(posterior=arrays)
    for name in arrays:
        assert ours["posterior"][name].dims == theirs["posterior"][name].dims
        np.testing.assert_array_equal(ours["posterior"][name].values, theirs["posterior"][name].values)
    for dim, labels in theirs["posterior"].coords.items():
        np.testing.assert_array_equal(ours["posterior"].coords[dim].values, labels.values)


def test_coordinates_are_the_given_labels_or_count_from_zero(data):
    for group in ("posterior", "warmup_posterior", "log_likelihood", "prior", "observed_data", "constant_data"):
        assert list(data[group].coords["school"].values) == SCHOOLS
    assert list(data["posterior"].coords["chain"].values) == [0, 1, 2, 3]
    assert list(data["posterior"].coords["row"].values) == [0, 1]
    assert data["warmup_posterior"].coords["draw"].size == 20 and data["posterior"].coords["draw"].size == 50
    assert float(data["posterior"]["theta"].sel(chain=1, draw=7, school="C")) == GROUPS["posterior"]["theta"][1, 7, 2]


def test_a_log_likelihood_may_lack_the_axes_of_an_event():
    data = to_arviz(posterior={"mu": draws(2, 10)}, log_likelihood={"y": draws(2, 10, 5)},
                    observed_data={"y": draws(5, 3)}, dims={"y": ["school", "subject"]})
    assert data["log_likelihood"]["y"].dims == ("chain", "draw", "school")
    assert data["observed_data"]["y"].dims == ("school", "subject")


def test_arviz_summarises_the_posterior(data):
    table = az.summary(data, round_to="none") if LINE == 0 else az.summary(data, round_to="none", ci_prob=0.9)
    theta = [f"theta[{school}]" for school in SCHOOLS]
    assert set(theta) <= set(table.index) and "mu" in table.index
    want = GROUPS["posterior"]["theta"].mean((0, 1))
    np.testing.assert_allclose(table.loc[theta, "mean"].astype(float), want, rtol=1e-10)


def test_arviz_reads_the_sampler_statistics(data):
    energy = GROUPS["sample_stats"]["energy"]
    want = (np.diff(energy)**2).mean(1) / energy.var(1, ddof=1)
    got = az.bfmi(data)
    np.testing.assert_allclose(got["energy"].values if LINE else got, want, rtol=1e-10)


def test_a_file_gives_back_what_was_stored(data, tmp_path):
    pytest.importorskip("h5netcdf", reason="ArviZ 1.x leaves the package that writes files to the user")
    data.to_netcdf(str(tmp_path / "draws.nc"), engine="h5netcdf")
    back = az.from_netcdf(str(tmp_path / "draws.nc"), engine="h5netcdf")
    assert names_of(back) == names_of(data)
    for group, arrays in GROUPS.items():
        for name, x in arrays.items():
            assert back[group][name].dims == data[group][name].dims
            np.testing.assert_array_equal(back[group][name].values, x)
    assert list(back["posterior"].coords["school"].values) == SCHOOLS
    back.close()


def test_more_chains_than_draws_is_no_reason_to_warn():
    assert to_arviz(posterior={"mu": draws(10, 3)})["posterior"]["mu"].shape == (10, 3)


def test_importing_arviz_gives_no_warning(tmp_path):
    """In a new process and with an empty cache, where line 0.23 gives its notice of the day."""
    program = ("import warnings; warnings.simplefilter('error'); import numpy\n"
               "from chainrule.inference.arviz import to_arviz\n"
               "print(to_arviz(posterior={'mu': numpy.zeros((2, 5))})['posterior']['mu'].shape)")
    env = {"PYTHONPATH": str(pathlib.Path(chainrule.__path__[0]).parent), "XDG_CACHE_HOME": str(tmp_path),
           "HOME": str(tmp_path), "MPLBACKEND": "Agg"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env)
    assert done.stdout.strip() == "(2, 5)", done.stderr


def test_the_silence_covers_nothing_but_the_notice(monkeypatch, tmp_path):
    (tmp_path / "arviz.py").write_text("import warnings\nwarnings.warn('another', FutureWarning)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "arviz")
    with pytest.raises(FutureWarning, match="another"):
        _arviz()


@pytest.mark.parametrize("groups, message", [
    (dict(posterior={"mu": draws(100)}), r"posterior\['mu'\] has shape \(100,\).*\n.*x\[None\]"),
    (dict(posterior={"theta": draws(4, 10, 8)}, dims={"theta": ["school"]}, coords={"school": range(7)}),
     r"posterior\['theta'\] has size 8 along 'school', and coords\['school'\] has shape \(7,\).\nGive 8 labels"),
    (dict(posterior={"theta": draws(4, 10, 8)}, dims={"theta": ["chain", "draw", "school"]}),
     r"dims\['theta'\] has 3 names.*of shape \(4, 10, 8\) has 1 axes.*\nchain and draw are named already"),
    (dict(posterior={"mu": draws(2, 9)}, observed_data={"y": draws(3)}, dims={"y": ["a", "b"]}),
     r"dims\['y'\] has 2 names.*observed_data\['y'\]"),
    (dict(posterior={"a": draws(4, 10, 8), "b": draws(4, 10, 7)}, dims={"a": ["school"], "b": ["school"]}),
     r"posterior\['b'\] has size 7 along 'school', and posterior\['a'\] has size 8"),
    (dict(posterior={"a": draws(4, 10), "b": draws(4, 11)}),
     r"posterior\['b'\] has size 11 along 'draw', and posterior\['a'\] has size 10.\n.*the same chains and draws"),
    (dict(posterior={"a": draws(4, 10, 2, 2)}, dims={"a": ["i", "i"]}),
     r"the dimension 'i' twice.*\n.*'row' and 'column'"),
    (dict(posterior={"a": draws(4, 10, 2)}, dims={"a": ["a"]}), r"has a dimension 'a', which is also a variable"),
    (dict(posterior={"a": draws(4, 10, 2)}, dims={"a": "school"}), r"is the string 'school'.*\['school'\]"),
])
def test_a_misfit_is_reported_by_variable_and_dimension(groups, message):
    with pytest.raises(ValueError, match="(?s)" + message):
        to_arviz(**groups)
