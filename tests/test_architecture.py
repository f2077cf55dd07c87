"""The shape of the house: which file may import what, how long it may be, and what no file may say."""
import ast
import functools
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]
LAYERS = ("engine", "distributions", "ppl", "inference")             # each may import those before it
KERNELS = {f"inference/{file}.py" for file in (                      # they know a log density and nothing of models
    "base", "nuts", "hmc", "rwm", "mala", "barker", "slices", "elliptical_slice", "aies", "chees", "mclmc",
    "mclmc_adaptation", "adaptation", "windows", "fisher", "metrics", "running", "chunks", "chain", "renewal",
    "stepwise", "ensembles", "moves", "path_normal", "importance", "diagnostics/autocovariance",
    "diagnostics/compiled", "diagnostics/convergence", "diagnostics/effective", "diagnostics/energy",
    "diagnostics/pareto", "diagnostics/sites", "diagnostics/tables")}
KERNELS |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "inference" / "optim").glob("*.py")}

JAX_FILES = {"benchmarks/jax_engine.py": "measures JAX in a process of its own, where a user has installed it",
             "benchmarks/jax_densities.py": "measures NumPyro in a process of its own, where a user has installed it",
             "benchmarks/numpyro_chains.py": "measures NumPyro in a process of its own, where a user has installed it",
             "benchmarks/numpyro_svi.py": "measures NumPyro in a process of its own, where a user has installed it"}
LONG_FILES = {}                                                      # file: why it may pass 500 lines
LATE_IMPORTS = {                                                     # package: why it may be imported in a function
    "arviz": "slow to import, and only needed for an export",
    "pandas": "slow to import, and only needed for a table",
    "matplotlib": "slow to import, and only needed for a plot",
    "tqdm": "only needed while a progress bar is shown",
    "scipy": "parts of it are slow to import, and only their users need them",
    "jaxlib": "a plugin is loaded when its device is asked for",
    "threadpoolctl": "optional, and only needed where a metric is renewed on the host",
}

LIBRARY = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
OTHERS = sorted(path for folder in ("tests", "examples", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
PYTHON = [*LIBRARY, *OTHERS, ROOT / "conftest.py", ROOT / "src" / "chainrule" / "__init__.py"]
TEXT = [path for path in ROOT.rglob("*")
        if (path.suffix in {".py", ".md", ".toml", ".txt", ".sh", ".yml", ".yaml", ".json", ".csv", ".ipynb"}
            or path.name in {"Makefile", "run", ".gitignore"})
        and not re.match(r"\.git/|\.venv|\.\w+_cache/|build/|dist/|src/chainrule/\w+/|.*\.egg-info/",
                         path.relative_to(ROOT).as_posix())]


def name(path):
    return path.relative_to(ROOT).as_posix()


def rows(paths):
    """A test of each file, as one test that names every file that fails."""
    def over(check):
        def test():
            bad = []
            for path in paths:
                try:
                    check(path)
                except AssertionError as e:
                    bad.append(f"{name(path)}: {e}")
            assert not bad, "\n".join(bad)
        test.__name__ = check.__name__
        return test
    return over


@functools.cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(node, path):
    """The modules imported anywhere under `node`, as dotted names. Ours are written from the root: engine.core"""
    for each in ast.walk(node):
        if isinstance(each, ast.Import):
            yield from (alias.name for alias in each.names)
        elif isinstance(each, ast.ImportFrom) and each.level == 0:
            yield each.module
        elif isinstance(each, ast.ImportFrom):
            here = path.relative_to(ROOT).parent.parts
            base = ".".join([*here[:len(here) - each.level + 1], *filter(None, [each.module])])
            yield from (f"{base}.{alias.name}".lstrip(".") for alias in each.names)


def within(module, *packages):
    return any(module == package or module.startswith(package + ".") for package in packages)


@rows(LIBRARY)
def test_only_the_xla_module_imports_jaxlib(path):
    if not within(name(path).removesuffix(".py").replace("/", "."), "engine.xla"):
        assert not [module for module in imports(tree(path), path) if within(module, "jaxlib")]


@rows(PYTHON)
def test_nothing_imports_jax(path):
    assert name(path) in JAX_FILES or not [module for module in imports(tree(path), path) if within(module, "jax")]


def test_nothing_imports_what_imports_jax():
    stems = [pathlib.PurePath(file).stem for file in JAX_FILES]
    for path in PYTHON:
        assert not [module for module in imports(tree(path), path) if set(stems) & set(module.split("."))]


@rows(LIBRARY)
def test_imports_inside_the_library_are_relative(path):
    absolute = [each for each in ast.walk(tree(path)) if isinstance(each, ast.Import)
                or isinstance(each, ast.ImportFrom) and each.level == 0]
    for each in absolute:
        assert not [module for module in imports(each, path) if within(module, "chainrule", *LAYERS)]


@rows(LIBRARY)
def test_layers_point_one_way(path):
    above = LAYERS[LAYERS.index(name(path).split("/")[0]) + 1:]
    assert not [module for module in imports(tree(path), path) if within(module, *above)]


def test_each_kernel_has_a_file():
    assert KERNELS <= {name(path) for path in LIBRARY}


@rows([path for path in LIBRARY if name(path) in KERNELS])
def test_a_kernel_knows_nothing_of_models(path):
    assert not [module for module in imports(tree(path), path) if within(module, "ppl", "distributions")]


@rows([path for path in LIBRARY if within(name(path).replace("/", "."), "engine.ops", "engine.interpreters")])
def test_operations_and_interpreters_do_not_know_each_other(path):
    modules = set(imports(tree(path), path))
    if name(path).startswith("engine/ops/"):
        assert not [module for module in modules if within(module, "engine.interpreters")]
    else:                                         # zeros, broadcasting, moving an axis: every interpreter needs them
        assert not [module for module in modules if within(module, "engine.ops")
                    and not within(module, "engine.ops.structural")]


@rows(LIBRARY)
def test_an_import_stands_at_the_top_of_its_file(path):
    functions = [each for each in ast.walk(tree(path)) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    late = {module for function in functions for module in imports(function, path)}
    assert not [module for module in late if not within(module, *LATE_IMPORTS)]


@rows(PYTHON)
def test_a_file_has_at_most_500_lines(path):
    assert name(path) in LONG_FILES or len(path.read_text(encoding="utf-8").splitlines()) <= 500


@rows(PYTHON)
def test_a_module_says_what_it_is_for(path):
    assert ast.get_docstring(tree(path))


@rows(TEXT)
def test_no_file_holds_a_note_to_ourselves_or_a_place_on_one_machine(path):
    forbidden = [r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"py" + r"pi\.org", r"python" + r"hosted\.org",
                 r"anaconda" + r"\.(?:org|com)", r"(?<![\w.~$}])/(?:home|root|Users|work|opt|mnt)/\w"]
    text = path.read_text(encoding="utf-8")
    assert not [found.group() for pattern in forbidden for found in re.finditer(pattern, text)]
