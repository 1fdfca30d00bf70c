"""The snippets of docs/ci.md publish: each is taken from the page and run as far as a machine without its host can."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

from symsrv.commands import COMMANDS
from tests.interop.conftest import peer  # noqa: F401  a fixture
from tests.peers import moto

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = (REPOSITORY / "docs" / "ci.md").read_text(encoding="utf-8")
SNIPPETS = {
    match["title"]: match["code"]
    for match in re.finditer(r"```\w+\n(?P<code>(?:#|rem|//|<!--) (?P<title>[^\n]+?)(?: -->)?\n.*?)```", PAGE, re.S)
}
BUILD = REPOSITORY / "sample" / "build"
NAMESPACE = "{http://www.epicgames.com/BuildGraph}"

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="the snippets that run here are for a POSIX shell"),
    pytest.mark.skipif(shutil.which("git") is None, reason="needs git"),
]
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")

MAKEFILE = f"""\
all:
\tmkdir -p build && cp -r '{BUILD}/.' build && echo read me > build/notes.txt

"""


class Project:
    """A working folder under git, with `symsrv` and a `pip` that does nothing in PATH."""

    def __init__(self, folder):
        self.folder = folder / "project"
        self.store = folder / "store"
        programs = folder / "bin"
        programs.mkdir()
        self._program(programs / "symsrv", f'exec {shlex.quote(sys.executable)} -m symsrv "$@"')
        self._program(programs / "pip", 'echo "$@" >> pip.log')
        self.folder.mkdir()
        self.environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),
            "SYMSRV_STORE": str(self.store),
        }

    def _program(self, path, line):
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def commit(self):
        self.bash(
            "git init -q -b main . && git add -A && "
            "git -c user.name=builder -c user.email=builder@localhost commit -q -m first && git tag v1.0"
        )
        return self.bash("git rev-parse HEAD").strip()

    def bash(self, line, **variables):
        return self.run("bash", "-eo", "pipefail", "-c", line, **variables)

    def run(self, *command, **variables):
        environment = {**self.environment, **variables}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def published(self, **variables):
        """The record of the store's one transaction, which has files."""
        (record,) = map(json.loads, self.bash("symsrv history --json", **variables).splitlines())
        assert record["files"]
        return record


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path)
    (project.folder / "Makefile").write_text(MAKEFILE + SNIPPETS["Makefile"])
    return project


@pytest.fixture
def built(project):
    shutil.copytree(BUILD, project.folder / "build")
    return project


@pytest.fixture
def bucket():
    with moto.moto_server() as url, moto.environment(url):
        yield f"s3://{moto.new_bucket(url)}/crash"


def names(record):
    return record["product"], record["version"], record["comment"], record["tag"]


def in_terms_of(text, properties):
    """What is left when a build system has put its properties in."""
    for name, value in properties.items():
        text = text.replace(f"$({name})", value).replace(f"%{name}%", value)
    assert not re.search(r"\$\(|%\w+%", text), text
    return text


def test_every_snippet_of_the_page_is_known_here():
    assert set(SNIPPETS) == {
        "symstore",
        "Post-build event",
        "Directory.Build.targets",
        "cmake/symsrv.cmake",
        "Makefile",
        "Symbols.xml",
        ".github/workflows/build.yml",
        ".gitlab-ci.yml",
        "Jenkinsfile",
    }
    assert PAGE.count("*Tried: ") == len(SNIPPETS) - 1  # symstore's line has its own tests


@needs_make
def test_make_publishes_into_a_folder(project):
    commit = project.commit()

    project.run("make", "symbols")

    assert names(project.published()) == ("crash", "v1.0", commit, "main")
    assert list(project.store.glob("*/*/*.pdb"))


@needs_make
def test_make_publishes_into_a_bucket(project, bucket):
    commit = project.commit()

    project.run("make", "symbols", SYMSRV_STORE=bucket, **moto_environment())

    assert names(project.published(SYMSRV_STORE=bucket, **moto_environment()))[2] == commit


def moto_environment():
    return {name: os.environ[name] for name in ("AWS_ENDPOINT_URL", *moto.CREDENTIALS)}


@needs_make
def test_github_publishes_into_a_bucket(project, bucket):
    commit = project.commit()
    workflow = yaml.safe_load(SNIPPETS[".github/workflows/build.yml"])
    (job,) = workflow["jobs"].values()
    runner = {"GITHUB_SHA": commit, "GITHUB_REF_NAME": "main", "GITHUB_REPOSITORY": "crash/crash"}
    given = {
        "vars.SYMSRV_PACKAGE": "symsrv[s3]",
        "secrets.AWS_ACCESS_KEY_ID": moto.CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "secrets.AWS_SECRET_ACCESS_KEY": moto.CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    }

    for step in job["steps"]:
        assert ("run" in step) != ("uses" in step)
        env = {
            name: re.sub(r"\${{ (.+?) }}", lambda use: given[use[1]], value).replace("s3://symbols/crash", bucket)
            for name, value in step.get("env", {}).items()
        }
        if "run" in step:
            project.bash(step["run"], AWS_ENDPOINT_URL=os.environ["AWS_ENDPOINT_URL"], **runner, **env)

    assert workflow[True] == "push"  # YAML 1.1 reads 'on' as a truth
    assert (project.folder / "pip.log").read_text() == "install symsrv[s3]\n"
    record = project.published(SYMSRV_STORE=bucket, **moto_environment())
    assert names(record) == ("crash", "v1.0", commit, "main")


@needs_make
def test_gitlab_publishes_into_a_folder(project):
    commit = project.commit()
    pipeline = yaml.safe_load(SNIPPETS[".gitlab-ci.yml"])
    runner = {
        "CI_PROJECT_NAME": "crash",
        "CI_PIPELINE_IID": "17",
        "CI_COMMIT_SHA": commit,
        "CI_COMMIT_REF_NAME": "main",
    }

    for job in pipeline.values():
        for line in job["script"]:
            project.bash(line, **runner)

    assert pipeline["symbols"]["needs"] == ["build"]
    assert pipeline["symbols"]["variables"] == {"SYMSRV_STORE": "/srv/symbols"}
    assert names(project.published()) == ("crash", "17", commit, "main")


@needs_make
def test_jenkins_publishes_into_a_folder(project):
    commit = project.commit()
    text = SNIPPETS["Jenkinsfile"]
    steps = re.findall(r"^\s+sh '(.*)'$", text, re.M)

    for line in steps:
        project.bash(line, BUILD_NUMBER="17", GIT_COMMIT=commit, GIT_BRANCH="origin/main")

    assert len(steps) == text.count("steps {")
    assert text.count("{") == text.count("}")
    assert names(project.published()) == ("crash", "17", commit, "origin/main")


def test_the_line_of_a_post_build_event_publishes(built):
    commit = built.commit()
    lines = SNIPPETS["Post-build event"].splitlines()
    asked = dict(re.findall(r"^for /f %%i in \('(?P<git>git .*)'\) do set (?P<name>\w+)=%%i$", "\n".join(lines), re.M))
    said = {name: built.bash(line).strip() for line, name in asked.items()}
    properties = {
        "Configuration": "Release",
        "TargetDir": f"{built.folder}/build/windows/",
        "TargetName": "crash",
        "SolutionName": "all of it",
        **said,
    }
    condition, line = re.fullmatch(r'if ("\S+"=="\S+") (symsrv .*)', in_terms_of(lines[-1], properties)).groups()
    built.bash(line)

    assert condition == '"Release"=="Release"'
    record = built.published()
    assert names(record) == ("all of it", "v1.0", commit, "main")
    assert record["files"] == 2


@pytest.mark.skipif(all(verb.name != "symstore" for verb in COMMANDS), reason="there is no symstore verb yet")
def test_the_line_for_symstore_publishes(built):
    line = SNIPPETS["symstore"].splitlines()[1]
    properties = {
        "TargetDir": f"{built.folder}/build/",
        "SolutionName": "crash",
        "VERSION": "1.2",
        "COMMIT": built.commit(),
    }

    built.bash(in_terms_of(line, properties).replace(r"\\server\symbols", str(built.store)))

    record = built.published()
    assert (record["product"], record["version"], record["comment"]) == ("crash", "1.2", properties["COMMIT"])


def test_the_node_of_a_build_graph_publishes(built):
    root = ElementTree.fromstring(SNIPPETS["Symbols.xml"])
    (spawn,) = root.iter(f"{NAMESPACE}Spawn")
    properties = {one.get("Name"): one.get("DefaultValue") for one in root.iter(f"{NAMESPACE}Option")}
    properties |= {"OutputDir": f"{built.folder}/build", "Change": "4711", "Branch": "++Game+Main"}

    built.bash(f"{spawn.get('Exe')} {in_terms_of(spawn.get('Arguments'), properties)}")

    assert names(built.published()) == ("Game", "1.0", "4711", "++Game+Main")


def test_the_msbuild_file_is_xml_and_its_line_publishes(built):
    root = ElementTree.fromstring(SNIPPETS["Directory.Build.targets"])
    *_, publish = (one.get("Command") for one in root.iter() if one.tag.endswith("Exec"))
    properties = {"TargetDir": f"{built.folder}/build/windows/", "TargetName": "crash"}
    properties |= {f"Symsrv{name}": name.lower() for name in ("Product", "Version", "Commit", "Branch")}

    built.bash(in_terms_of(publish, properties))

    assert names(built.published()) == ("product", "version", "commit", "branch")


CSPROJ = """\
<Project DefaultTargets="Build" ToolsVersion="4.0" xmlns="http://schemas.microsoft.com/developer/msbuild/2003">
  <PropertyGroup>
    <Configuration Condition="'$(Configuration)' == ''">Debug</Configuration>
    <OutputType>Exe</OutputType>
    <AssemblyName>app</AssemblyName>
    <TargetFrameworkVersion>v4.5</TargetFrameworkVersion>
    <OutputPath>bin\\$(Configuration)\\</OutputPath>
    <DebugSymbols>true</DebugSymbols>
    <DebugType>full</DebugType>
    <NoCompilerStandardLib>false</NoCompilerStandardLib>
    <Version>1.2</Version>
  </PropertyGroup>
  <ItemGroup><Compile Include="app.cs" /></ItemGroup>
  <Import Project="$(MSBuildToolsPath)\\Microsoft.CSharp.targets" />
  <Import Project="Directory.Build.targets" />
</Project>
"""


@pytest.mark.interop
def test_xbuild_publishes_a_release_and_nothing_else(project, peer):  # noqa: F811
    (project.folder / "Directory.Build.targets").write_text(SNIPPETS["Directory.Build.targets"])
    (project.folder / "app.csproj").write_text(CSPROJ)
    (project.folder / "app.cs").write_text("class App { static int Main(string[] a) { return 1 / a.Length; } }\n")
    commit = project.commit()
    peer("mcs")
    line = [peer("xbuild"), "/nologo", f"/p:SymsrvCommit={commit}", "/p:SymsrvBranch=main", "app.csproj"]

    project.run(*line)
    assert not project.store.exists()
    project.run(*line, "/p:Configuration=Release")

    assert names(project.published()) == ("app", "1.2", commit, "main")
    assert list(project.store.glob("app.exe/*/app.exe"))


CMAKELISTS = """\
cmake_minimum_required(VERSION 3.19)
project(crash C)
include(cmake/symsrv.cmake)
add_library(plugin SHARED plugin.c)
add_executable(crash crash.c)
target_link_libraries(crash PRIVATE plugin)
target_link_options(plugin PRIVATE -Wl,--build-id)
target_link_options(crash PRIVATE -Wl,--build-id)
symsrv_publish(PRODUCT "crash and all" VERSION 1.2 TARGETS crash plugin)
"""


@pytest.mark.interop
@pytest.mark.parametrize("generator", ["Unix Makefiles", "Ninja", "Ninja Multi-Config"])
def test_cmake_publishes_what_it_built(project, peer, generator):  # noqa: F811
    if "Ninja" in generator:
        peer("ninja")
    cmake, _ = peer("cmake"), peer("gcc")
    (project.folder / "cmake").mkdir()
    (project.folder / "cmake" / "symsrv.cmake").write_text(SNIPPETS["cmake/symsrv.cmake"])
    (project.folder / "CMakeLists.txt").write_text(CMAKELISTS)
    (project.folder / "plugin.c").write_text("int divide(int a, int b) { return a / b; }\n")
    (project.folder / "crash.c").write_text(
        "int divide(int, int);\nint main(int c, char **v) { (void)v; return divide(1, c - 1); }\n"
    )
    commit = project.commit()

    project.run(cmake, "-B", "out", "-G", generator, "-DCMAKE_BUILD_TYPE=Debug")
    project.run(cmake, "--build", "out")
    assert not project.store.exists()
    project.run(cmake, "--build", "out", "--target", "symbols")

    record = project.published()
    assert names(record) == ("crash and all", "1.2", commit, "main")
    assert record["files"] == 2
    assert list(project.store.glob("libplugin.so/elf-buildid-*/libplugin.so"))
