"""Tests of `launcher/webui_user.py`. What a shell makes of a script, bash itself is asked."""

import os
import subprocess
from pathlib import Path

import pytest

from launcher.webui_user import arguments, read_batch, read_shell

PUBLISHED_SHELL = """\
#!/bin/bash
#########################################################
# Uncomment and change the variables below to your need:#
#########################################################

# Install directory without trailing slash
#install_dir="/home/$(whoami)"

# Name of the subdirectory
#clone_dir="stable-diffusion-webui"

# Commandline arguments for webui.py, for example: export COMMANDLINE_ARGS="--medvram --opt-split-attention"
export COMMANDLINE_ARGS="--xformers --port 7865"

# python3 executable
python_cmd="python3.10"

# python3 venv without trailing slash (defaults to ${install_dir}/${clone_dir}/venv)
venv_dir="venv"

# Uncomment to enable accelerated launch
#export ACCELERATE="True"

export TORCH_COMMAND="pip install torch==2.3.1"
###########################################
"""  # noqa: E501
PUBLISHED_BATCH = """\
@echo off\r
\r
set PYTHON=\r
set GIT=\r
set VENV_DIR=\r
set COMMANDLINE_ARGS=--xformers --cuda-malloc\r
\r
@REM Uncomment following code to reference an existing A1111 checkout.\r
@REM set A1111_HOME=Your A1111 checkout dir\r
\r
call webui.bat\r
"""
SHELL_SCRIPTS = [
    'export COMMANDLINE_ARGS="--api"',
    "COMMANDLINE_ARGS='--api --gradio-auth \"a:b\"'",
    "COMMANDLINE_ARGS=--api",
    'A=1\nexport COMMANDLINE_ARGS="--port $A ${A}2 ${NONE:-3} ${NONE}x"',
    'COMMANDLINE_ARGS="--api"\nCOMMANDLINE_ARGS+=" --listen"',
    'COMMANDLINE_ARGS="--api \\\n  --listen"',
    'COMMANDLINE_ARGS="--api"   # a "remark',
    "  export COMMANDLINE_ARGS=\"--ckpt-dir '/x y/z'\"",
    'COMMANDLINE_ARGS="--ckpt-dir \\"/x y\\" \\$A \\n"',
    "COMMANDLINE_ARGS=--a\\ b",
    "COMMANDLINE_ARGS=''\"--a\"'--b'c",
    'COMMANDLINE_ARGS="line\nbreak"',
    "COMMANDLINE_ARGS=--a; B=2",
    "COMMANDLINE_ARGS=--a#b",
    "COMMANDLINE_ARGS=",
    "#COMMANDLINE_ARGS=--a",
    "# it's a remark\nCOMMANDLINE_ARGS=--b",
    'COMMANDLINE_ARGS="$HOME_OF_TEST/x"',
    "COMMANDLINE_ARGS=--a \\\n",
    PUBLISHED_SHELL,
]


@pytest.mark.posix
@pytest.mark.parametrize("script", SHELL_SCRIPTS)
def test_shell_script_is_read_as_bash_does(script: str, tmp_path: Path) -> None:
    file = tmp_path / "webui-user.sh"
    file.write_text(script)
    environ = {"PATH": os.environ["PATH"], "HOME_OF_TEST": "/of test"}
    printed = subprocess.run(
        ["bash", "-c", f'source "{file}"; printf "%s" "${{COMMANDLINE_ARGS-unset}}"'],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert read_shell(script, environ).get("COMMANDLINE_ARGS", "unset") == printed


@pytest.mark.parametrize(
    "value", ["$(nproc)", '"--port $(cat port)"', "`nproc`", "(--a --b)", '"`nproc`"']
)
def test_what_only_a_shell_can_tell_is_left_out(value: str) -> None:
    assert read_shell(f"COMMANDLINE_ARGS={value}\nvenv_dir=-", {}) == {"venv_dir": "-"}


def test_nothing_is_executed(tmp_path: Path) -> None:
    script = f"touch {tmp_path}/executed\nCOMMANDLINE_ARGS=--a\nexit 1\n"
    assert read_shell(script, {}) == {"COMMANDLINE_ARGS": "--a"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (PUBLISHED_BATCH, {"PYTHON": "", "GIT": "", "VENV_DIR": "",
                           "COMMANDLINE_ARGS": "--xformers --cuda-malloc"}),
        ('set "COMMANDLINE_ARGS=--api --x" & rem', {"COMMANDLINE_ARGS": "--api --x"}),
        ('set COMMANDLINE_ARGS=--ckpt-dir "D:\\My Models"',
         {"COMMANDLINE_ARGS": '--ckpt-dir "D:\\My Models"'}),
        ("SET commandline_args=--A", {"COMMANDLINE_ARGS": "--A"}),
        ("set A=1\nset COMMANDLINE_ARGS=%a% %NONE% %%x%% %Path%",
         {"A": "1", "COMMANDLINE_ARGS": "1  %x% C:\\p"}),
        ("set COMMANDLINE_ARGS=--a\nset COMMANDLINE_ARGS=%COMMANDLINE_ARGS% --b",
         {"COMMANDLINE_ARGS": "--a --b"}),
        ("REM set A=1\n:: set A=1\nset /p A=?\nset\nset A", {}),
    ],
)  # fmt: skip
def test_batch_file_is_read(script: str, found: dict[str, str]) -> None:
    assert read_batch(script, {"PATH": "C:\\p"}) == found


def test_folder_of_a_batch_file_is_known() -> None:
    script = "set DIR=%~dp0system\r\nset PATH=%DIR%\\git\\bin;%PATH%\r\nset SKIP_VENV=1\r\n"
    assert read_batch(script, {"Path": "C:\\p"}, folder="D:\\forge") == {
        "DIR": "D:\\forge\\system",
        "PATH": "D:\\forge\\system\\git\\bin;C:\\p",
        "SKIP_VENV": "1",
    }


def test_arguments_are_split_as_forge_splits_them() -> None:
    assert arguments("--port 7861 --ckpt-dir '/x y'") == ["--port", "7861", "--ckpt-dir", "/x y"]
    with pytest.raises(ValueError, match="quotation"):
        arguments("--a 'b")
