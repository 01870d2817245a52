"""`navigator compass`: gets the web client that the server shows to browsers."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from app.cli.running import exits
from app.errors import InvalidInput, NavigatorError

if TYPE_CHECKING:
    from app.cli.compass_build import CompassBuild
    from app.clients.image_reference import ImageReference

DEFAULT_IMAGE = "ghcr.io/bitforged/compass:main"
_MAX_IMAGE_BYTES = 2 * 1024 * 1024 * 1024


@click.group()
def compass() -> None:
    """Compass, the web client at Navigator's own address."""


@compass.command()
@click.option("--image", default=DEFAULT_IMAGE, show_default=True, help="The published image.")
@click.option("--registry", metavar="URL", help="Get the image from this registry or mirror.")
@click.option(
    "--dir",
    "dist",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Take this folder, to which you built Compass, instead of an image.",
)
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of everything we keep.")
@click.pass_context
def install(
    context: click.Context,
    image: str,
    registry: str | None,
    dist: Path | None,
    data_dir: Path | None,
) -> None:
    """Install Compass, or bring it up to date. The server may run meanwhile.

    It goes to the folder COMPASS_DIR. What is there stays until all of the new one has come.
    """
    image_named = context.get_parameter_source("image") is not ParameterSource.DEFAULT
    if dist is not None and (image_named or registry is not None):
        raise click.UsageError("--dir goes without --image and --registry.")
    from app.cli.compass_build import CompassBuild
    from app.cli.compass_folder import replacing
    from app.settings import Settings

    with exits(), _usage_errors():
        settings = Settings.load(os.environ, data_dir=data_dir)
        folder = settings.compass_folder
        if settings.data_dir.resolve().is_relative_to(folder.resolve()):
            raise NavigatorError("COMPASS_DIR: it cannot hold the data folder; name another one.")
        with replacing(folder) as work:
            build = CompassBuild(work / "new")
            if dist is None:
                _take_image(image, registry, work, build)
            else:
                _take_folder(dist, folder, build)
            build.finish()
    click.echo(
        f"Compass is in {folder} ({build.file_count} files, {_megabytes(build.size_bytes)})."
    )


def _take_image(image: str, registry: str | None, work: Path, build: "CompassBuild") -> None:
    from app.cli.compass_image import unpack
    from app.clients.image_reference import ImageReference

    reference = ImageReference.parse(image)
    url = registry or reference.registry_url
    click.echo(f"Asking {url} for {reference} …")
    layers = asyncio.run(_download(url, reference, work))
    left_out = unpack(layers, build)
    if not build.is_complete:
        raise NavigatorError(
            f"{reference} is no image of Compass: it lacks /srv/compass/index.html."
        )
    if left_out:
        click.echo(f"Left out {left_out} that are no plain files, such as links.")


async def _download(url: str, reference: "ImageReference", work: Path) -> list[Path]:
    """The files of the layers, the lowest first."""
    from app.clients.registry import Registry
    from app.clients.registry_http import registry_session

    async with registry_session() as session:
        registry = Registry(session, url, reference.repository)
        layers = await registry.layers(reference.wanted)
        size_bytes = sum(layer.size_bytes for layer in layers)
        if size_bytes > _MAX_IMAGE_BYTES:
            raise NavigatorError("The image is too large to be one of Compass.")
        paths = [work / f"layer-{number}" for number in range(len(layers))]
        # Without a terminal, only its label is printed.
        with click.progressbar(length=size_bytes, label=f"Loading {_megabytes(size_bytes)}") as bar:
            for layer, path in zip(layers, paths, strict=True):
                with path.open("wb") as file:
                    await registry.download(layer, file, received=bar.update)
    return paths


def _take_folder(dist: Path, folder: Path, build: "CompassBuild") -> None:
    from app.cli.compass_folder import is_build, is_source

    dist, folder = dist.resolve(), folder.resolve()
    if is_source(dist):
        raise NavigatorError(
            f"{dist} is the source of Compass; build it, and name the folder that the build made"
            " (dist)."
        )
    if not is_build(dist):
        raise NavigatorError(f"{dist} is no build of Compass: it lacks index.html.")
    if folder.is_relative_to(dist) or dist.is_relative_to(folder):
        raise NavigatorError(f"{dist} and Compass's folder {folder} lie in each other.")
    for parent, _, names in os.walk(dist):
        parts = Path(parent).relative_to(dist).parts
        for name in names:
            path = Path(parent, name)
            # A socket is none; a link that leads out of the build is nothing of Compass's.
            if path.is_file() and path.resolve().is_relative_to(dist):
                with path.open("rb") as content:
                    build.add_file((*parts, name), content)


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:.1f} MB"


@contextlib.contextmanager
def _usage_errors() -> Iterator[None]:
    """What is wrong with an option is the caller's mistake, as with those that click checks."""
    try:
        yield
    except InvalidInput as error:
        raise click.UsageError(error.message) from error
