"""The files for Kubernetes and Slurm: they can be read, and the commands in them are ours."""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from goengine.core.options import parse_command
from training.cli import COMMANDS

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
KUBERAY, SLURM = RECIPES / "kuberay.yaml", RECIPES / "slurm.sbatch"
TAKEN = {name: kind for name, (kind, _) in COMMANDS.items()}


def understood(command: str):
    """The options that a command comes to. Raises SystemExit if it is none of ours."""
    words = shlex.split(command.removeprefix("# or: ").removeprefix("#"))
    start = {"python": 3, "sbatch": 2}[words[0]]
    return parse_command(TAKEN, words[start:])[1]


def documents():
    return list(pytest.importorskip("yaml").safe_load_all(KUBERAY.read_text()))


def test_kuberay_s_documents():
    claim, job = documents()
    assert (claim["kind"], job["kind"], job["apiVersion"]) == ("PersistentVolumeClaim", "RayJob", "ray.io/v1")
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    containers = [group["template"]["spec"]["containers"][0] for group in groups]
    assert {container["image"] for container in containers} == {"REGISTRY/goengine-cluster"}
    volume = groups[0]["template"]["spec"]["volumes"][0]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    options = understood(job["spec"]["entrypoint"])
    assert options.run.is_relative_to(containers[0]["volumeMounts"][0]["mountPath"]) and options.cluster == "auto"
    assert options.resolve_defaults().workers == 0


def test_the_versions_of_ray_agree():
    project = tomllib.loads((RECIPES.parent / "pyproject.toml").read_text())
    ray = re.search(r"ray\[default\]==(\d+\.\d+)\.\*", project["project"]["optional-dependencies"]["distributed"][0]).group(1)
    assert documents()[1]["spec"]["rayClusterSpec"]["rayVersion"].startswith(f"{ray}.")
    assert f"FROM rayproject/ray:{ray}." in (RECIPES / "cluster.Dockerfile").read_text()


@pytest.mark.parametrize("path", [KUBERAY, SLURM], ids=lambda path: path.name)
def test_commands_in_remarks(path):
    lines = [line for line in path.read_text().splitlines() if line.startswith("#")]
    found = [re.search(r"(python -m training|sbatch recipes/slurm\.sbatch) .*", line) for line in lines]
    options = [understood(match.group(0)) for match in found if match]
    assert any(each.parallel == "async" and each.address == "auto" for each in options)


def test_slurm_s_script_is_read_by_bash():
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    done = subprocess.run(["bash", "-n", str(SLURM)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert SLURM.read_text().startswith("#!/bin/bash\n")


def test_slurm_s_script_on_simulated_nodes(tmp_path):
    """scontrol, srun, ray and the command are stand-ins that tell what they are given; bash and the script are real."""
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    told = tmp_path / "told"
    stubs = {
        "scontrol": "printf 'n1\\nn2\\nn3\\n'",
        "srun": 'while [[ "$1" == -* ]]; do [[ "$1" == -w ]] && { node="$2"; shift; }; shift; done; NODE="$node" exec "$@"',
        "hostname": "echo 127.0.0.1",
        "ray": f'echo "$NODE ray $*" >> {told}; [[ "$1" == start ]] || exit 0',
        "python": f'echo "$NODE python $*" >> {told}; exit 3',
        "sleep": "true",
    }
    for name, text in stubs.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "token").write_text("secret")
    slurm = {"SLURM_JOB_NODELIST": "n[1-3]", "SLURM_CPUS_PER_TASK": "16", "RAY_AUTH_TOKEN_PATH": str(tmp_path / "token")}
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path), **slurm}
    done = subprocess.run(["bash", str(SLURM), "zero", "--run", "RUN"], env=environment, capture_output=True, text=True)
    assert done.returncode == 3, done.stderr  # that of the command
    lines = sorted(told.read_text().splitlines())
    assert lines == [
        "n1 python -m training zero --run RUN",
        "n1 ray start --head --block --port=6379 --num-cpus=14 --include-dashboard=false",
        "n2 ray start --block --address=127.0.0.1:6379 --num-cpus=16",
        "n3 ray start --block --address=127.0.0.1:6379 --num-cpus=16",
    ]
