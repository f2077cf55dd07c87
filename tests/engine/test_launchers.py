"""What the environments of launchers say, against what they mean."""
import pytest

from chainrule.engine import distributed, launchers
from chainrule.engine.launchers import Launch

SLURM = {"SLURM_JOB_ID": "3021", "SLURM_PROCID": "3", "SLURM_NTASKS": "8"}
KUBERNETES = {"JOB_COMPLETION_INDEX": "2", "CHAINRULE_NUM_PROCESSES": "4", "CHAINRULE_COORDINATOR": "fit-0.fit"}
MPI = {"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "1"}

FOUND = [
    ({**SLURM, "SLURM_STEP_NODELIST": "gpu[03-05,7]"}, Launch("gpu03:23021", 8, 3)),
    ({**SLURM, "SLURM_JOB_NODELIST": "node7,node9"}, Launch("node7:23021", 8, 3)),
    ({**SLURM, "SLURM_JOB_NODELIST": "a[1,4]-ib", "SLURM_JOB_ID": "8001"}, Launch("a1-ib:20001", 8, 3)),
    ({**MPI, "OMPI_MCA_orte_hnp_uri": "1531576320.0;tcp://10.96.0.1,10.148.0.1:34911"},
     Launch("10.96.0.1:20320", 4, 1)),
    ({**MPI, "PMIX_SERVER_URI41": "prterun-a-77@0.0;tcp4://192.168.1.4:33333"}, Launch("192.168.1.4:20077", 4, 1)),
    (MPI, Launch("localhost:20000", 4, 1)),
    (KUBERNETES, Launch("fit-0.fit:20000", 4, 2)),
    ({**KUBERNETES, "CHAINRULE_COORDINATOR": "fit-0.fit:1234"}, Launch("fit-0.fit:1234", 4, 2)),
    ({}, None),
    ({"SLURM_JOB_ID": "1"}, None),
    ({"JOB_COMPLETION_INDEX": "2"}, None),
]


@pytest.mark.parametrize("env, expected", FOUND)
def test_the_environment_says_who_meets_where(env, expected):
    assert launchers.found(env) == expected


@pytest.mark.parametrize("hosts, first", [("a", "a"), ("a,b", "a"), ("n[1-3]", "n1"), ("n[03,5-7]x,b", "n03x")])
def test_the_first_of_a_list_of_hosts(hosts, first):
    assert launchers.first_host(hosts) == first


def test_one_process_is_alone(monkeypatch):
    assert (distributed.is_initialized(), distributed.process_index(), distributed.process_count()) == (False, 0, 1)
    assert distributed.process_allgather([1.0, 2.0])[0].shape == (1,)
    distributed.sync_global_devices()
    distributed.shutdown()


@pytest.mark.parametrize("given, words", [
    ((), "nothing in the environment says"), (("host", 2, 0), "is host:port"), (("host:1", 2, 2), "lies between"),
    (("host:1", 2), "nothing in the environment")])
def test_wrong_calls(given, words, monkeypatch):
    for name in ("SLURM_JOB_ID", "OMPI_COMM_WORLD_SIZE", "JOB_COMPLETION_INDEX"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=words):
        distributed.initialize(*given)
