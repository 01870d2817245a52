"""Tests of `app/cli/compass.py`, as a real process against a real registry."""

import socket
import tarfile
from pathlib import Path

import pytest

from tests.app.cli.installing import contents, install
from tests.databases import python
from tests.images import Entry, Image, Layer, files, image, index
from tests.processes import child, serve
from tests.registries import PrivateRegistry

SYSTEM = files({"bin/": "", "bin/sh": b"\x7fELF", "etc/passwd": "root"})
BUILD = files(
    {
        "srv/": "",
        "srv/compass/": "",
        "srv/compass/index.html": "<title>Compass</title>",
        "srv/compass/assets/": "",
        "srv/compass/assets/old.js": "old",
        "srv/compass/assets/map.js": "map",
        "srv/compass/icons/a.svg": "a",
        "srv/compass/icons/b.svg": "b",
    }
)
UPDATE = files(
    {
        "srv/compass/assets/.wh.old.js": "",
        "srv/compass/icons/c.svg": "c",
        "srv/compass/icons/.wh..wh..opq": "",
        "srv/compass/index.html": "<title>Compass 2</title>",
    }
)
INSTALLED = {
    "index.html": b"<title>Compass 2</title>",
    "assets/map.js": b"map",
    "icons/c.svg": b"c",
}


async def test_published_image_is_installed_from_a_real_registry(
    private_registry: PrivateRegistry, tmp_path: Path
) -> None:
    await private_registry.push("group/compass", "main", image([SYSTEM, BUILD, UPDATE]))
    ended = await install(tmp_path, f"--image={private_registry.host}/group/compass:main")
    assert (ended.code, ended.errors) == (0, "")
    assert contents(tmp_path / "compass") == INSTALLED
    assert ended.printed.endswith(f"Compass is in {tmp_path / 'compass'} (3 files, 0.0 MB).\n")
    assert "[" not in ended.printed  # no bar without a terminal


@pytest.mark.parametrize("docker", [False, True])
async def test_version_for_this_kind_of_machine_is_taken_of_a_list(
    docker: bool, private_registry: PrivateRegistry, tmp_path: Path
) -> None:
    name = f"lists/{'docker' if docker else 'oci'}"
    ours = image([SYSTEM, BUILD, UPDATE], docker=docker)
    other = image([files({"srv/compass/index.html": "other"})], docker=docker)
    proof = image([b"no archive"], docker=docker)
    for version in (ours, other, proof):
        await private_registry.push(name, "part", version)
    listed = index(
        [("unknown/unknown", proof), ("linux/arm64", other), ("linux/amd64", ours)], docker=docker
    )
    await private_registry.push_index(name, "main", listed)
    for wanted in (":main", f"@{listed.digest}", f":gone@{ours.manifest.digest}"):
        folder = tmp_path / wanted[1:6]
        ended = await install(folder, f"--image={private_registry.host}/{name}{wanted}")
        assert (ended.code, ended.errors) == (0, "")
        assert contents(folder / "compass") == INSTALLED


async def test_registry_option_replaces_the_one_of_the_name(
    private_registry: PrivateRegistry, tmp_path: Path
) -> None:
    await private_registry.push("bitforged/compass", "main", image([BUILD]))
    ended = await install(tmp_path, f"--registry={private_registry.url}")
    assert (ended.code, ended.errors) == (0, "")
    assert contents(tmp_path / "compass")["assets/old.js"] == b"old"


async def test_update_replaces_all_of_the_old_one_while_the_server_runs(
    private_registry: PrivateRegistry, tmp_path: Path
) -> None:
    await private_registry.push("update", "main", image([UPDATE, BUILD]))
    named = f"--image={private_registry.host}/update:main"
    with serve(tmp_path) as started:
        await started.listening()
        assert (await install(tmp_path, named)).code == 0
        (tmp_path / "compass" / "left.js").write_text("of an older version")
        await private_registry.push("update", "main", image([BUILD, UPDATE]))
        assert (await install(tmp_path, named)).code == 0
        assert not started.has_ended
    assert contents(tmp_path / "compass") == INSTALLED
    assert not (tmp_path / ".compass.installing").exists()


async def test_folder_of_the_setting_is_used(
    private_registry: PrivateRegistry, tmp_path: Path
) -> None:
    await private_registry.push("setting", "main", image([BUILD, UPDATE]))
    folder = tmp_path / "www" / "maps"
    ended = await install(
        tmp_path / "data",
        f"--image={private_registry.host}/setting:main",
        COMPASS_DIR=str(folder),
    )
    assert (ended.code, contents(folder)) == (0, INSTALLED)


async def test_nothing_but_plain_files_comes_out(
    private_registry: PrivateRegistry, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    evil = Layer(
        [
            Entry("srv/compass/index.html", b"fine"),
            Entry("srv/compass/../../escaped", b"no"),
            Entry(f"{tmp_path}/absolute", b"no"),
            Entry("srv/compass/out", kind=tarfile.SYMTYPE, link=str(tmp_path)),
            Entry("srv/compass/out/through", b"kept inside"),
            Entry("srv/compass/hard", kind=tarfile.LNKTYPE, link=f"{tmp_path}/secret"),
            Entry("srv/compass/...", b"no"),
            Entry("srv/compass/.wh...", b""),
        ]
    )
    await private_registry.push("evil", "main", image([evil]))
    ended = await install(tmp_path / "data", f"--image={private_registry.host}/evil:main")
    assert ended.code == 0
    assert "Left out 4 that are no plain files" in ended.printed
    assert contents(tmp_path / "data" / "compass") == {
        "index.html": b"fine",
        "out/through": b"kept inside",
    }
    assert {path.name for path in tmp_path.iterdir()} == {"secret", "data"}


@pytest.mark.parametrize(
    ("pushed", "wanted", "sentence"),
    [
        (None, "none/such:main", "127.0.0.1:{port} has no such public image."),
        (image([BUILD]), "refused/here:gone", "127.0.0.1:{port} has no such public image."),
        (
            image([SYSTEM]),
            "refused/system:main",
            "{name} is no image of Compass: it lacks /srv/compass/index.html.",
        ),
        (image([b"no archive"]), "refused/broken:main", "A layer of the image cannot be unpacked."),
    ],
)
async def test_image_that_is_no_use_is_refused_and_the_old_one_stays(
    pushed: Image | None,
    wanted: str,
    sentence: str,
    private_registry: PrivateRegistry,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "compass"
    folder.mkdir()
    (folder / "index.html").write_text("old")
    if pushed is not None:
        await private_registry.push(wanted.partition(":")[0], "main", pushed)
    name = f"{private_registry.host}/{wanted}"
    ended = await install(tmp_path, f"--image={name}")
    port = private_registry.host.partition(":")[2]
    assert ended.errors == f"navigator: {sentence.format(port=port, name=name)}\n"
    assert ended.code == 1
    assert contents(folder) == {"index.html": b"old"}
    assert not (tmp_path / ".compass.installing").exists()


async def test_being_offline_is_said_in_a_sentence(tmp_path: Path, unused_port: int) -> None:
    ended = await install(tmp_path, f"--registry=http://127.0.0.1:{unused_port}")
    sentence = "navigator: 127.0.0.1 cannot be reached; is this computer online?\n"
    assert (ended.code, ended.errors) == (1, sentence)
    assert not (tmp_path / "compass").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--image=Not An Image"],
        ["--image=compass:main"],
        ["--registry=ftp://127.0.0.1"],
        ["--registry=http://me:secret@127.0.0.1"],
        ["--dir=."],
        ["--dir=.", "--registry=http://127.0.0.1"],
        ["--dir=gone"],
    ],
)
async def test_wrong_options_are_refused(options: list[str], tmp_path: Path) -> None:
    ended = await install(tmp_path, *options)
    assert ended.code == (1 if options == ["--dir=."] else 2)
    assert "Traceback" not in ended.errors
    assert "secret" not in ended.errors


@pytest.mark.posix
async def test_killed_one_leaves_the_old_one_and_is_cleaned_up_by_the_next(
    private_registry: PrivateRegistry, tmp_path: Path
) -> None:
    folder = tmp_path / "compass"
    folder.mkdir()
    (folder / "index.html").write_text("old")
    work = tmp_path / ".compass.installing"
    # A registry that takes the connection and says nothing.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        arguments = ("compass", "install", f"--data-dir={tmp_path}", f"--registry={address}")
        with child(*arguments, environ={"NO_PROXY": "127.0.0.1"}) as started:
            silent.accept()[0].close()
            started.kill()
    assert contents(folder) == {"index.html": b"old"}
    work.mkdir(exist_ok=True)
    (work / "layer-0").write_bytes(b"half")
    await private_registry.push("again", "main", image([BUILD, UPDATE]))
    ended = await install(tmp_path, f"--image={private_registry.host}/again:main")
    assert (ended.code, contents(folder), work.exists()) == (0, INSTALLED, False)


@pytest.mark.posix
async def test_full_disk_is_said_in_a_sentence_and_the_old_one_stays(tmp_path: Path) -> None:
    """Stands in for it: a limit on the size of files, as `ulimit -f` sets it."""
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "index.html").write_bytes(bytes(3_000_000))
    arguments = ["compass", "install", f"--data-dir={tmp_path / 'data'}", f"--dir={dist}"]
    with child(*arguments, environ={}) as started:
        assert (await started.ended()).code == 0
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "from app.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    with pytest.raises(RuntimeError, match=r"^navigator: Compass cannot be stored in .*large"):
        await python(code, *arguments)
    assert (tmp_path / "data" / "compass" / "index.html").stat().st_size == 3_000_000
