"""What a model version of CivitAI's would become on our disk, or why it may not. Pure.

All of it is data of strangers: fields are missing, of other types, or lie.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.errors import InvalidInput
from app.library.file_names import safe_file_name, suffix_of
from app.library.model_folder import PICKLE_SUFFIXES, SUFFIXES, ModelKind

# CivitAI's types of models; the first five as in contract 3.10.
KINDS = {
    "lora": ModelKind.LORA,
    "checkpoint": ModelKind.CHECKPOINT,
    "textualinversion": ModelKind.EMBEDDING,
    "controlnet": ModelKind.CONTROLNET,
    "hypernetwork": ModelKind.HYPERNETWORK,
    "locon": ModelKind.LORA,
    "dora": ModelKind.LORA,
    "vae": ModelKind.VAE,
    "upscaler": ModelKind.UPSCALER,
    "textencoder": ModelKind.TEXT_ENCODER,
}
_MAX_NAME_CHARS = 200
_MAX_SIZE_BYTES = 10**13


class UnsupportedModel(InvalidInput):
    """We have no place for models of this type, or cannot use them."""

    code = "UNSUPPORTED_MODEL"


class UnsafeFile(InvalidInput):
    """The file may do harm, and the owner has not allowed such files."""

    code = "UNSAFE_FILE"


@dataclass(frozen=True)
class DownloadPlan:
    """A file, where it is to be had, and where it belongs.

    `size_bytes` and `sha256` are CivitAI's, None where it does not say.
    """

    version_id: int
    name: str
    kind: ModelKind
    file_name: str
    url: str
    size_bytes: int | None
    sha256: str | None

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "DownloadPlan":
        """The plan that a job carries out."""
        return cls(
            version_id=parameters["model_version_id"],
            name=parameters["name"],
            kind=ModelKind(parameters["model_kind"]),
            file_name=parameters["file_name"],
            url=parameters["url"],
            size_bytes=parameters.get("size_bytes"),
            sha256=parameters.get("sha256"),
        )

    def parameters(self) -> dict[str, Any]:
        """Those of the job that carries it out."""
        told = asdict(self)
        told["model_version_id"] = told.pop("version_id")
        told["model_kind"] = told.pop("kind").value
        return {name: value for name, value in told.items() if value is not None}


def planned(
    version: dict[str, Any], *, supports_flux: bool, allow_pickle: bool, version_id: int
) -> DownloadPlan:
    """The plan for the version of this id. Raises `UnsupportedModel` and `UnsafeFile`."""
    model = version.get("model")
    about: dict[str, Any] = model if isinstance(model, dict) else {}
    kind = KINDS.get(_text(about.get("type")).lower())
    if kind is None:
        raise UnsupportedModel("Unsupported model type")
    if not supports_flux and _text(version.get("baseModel")).lower().startswith("flux"):
        raise UnsupportedModel("Models for Flux are not enabled here (SUPPORTS_FLUX).")
    file = _file(version.get("files"))
    url = _text(file.get("downloadUrl")) or _text(version.get("downloadUrl"))
    if not url:
        raise UnsupportedModel("CivitAI offers no file of this model.")
    told_name = _text(file.get("name"))
    suffix = suffix_of(told_name)
    if suffix not in SUFFIXES:
        raise UnsupportedModel("The file is not one of a model that Forge can use.")
    _check_safe(file, suffix, allow_pickle=allow_pickle)
    names = (_text(about.get("name")), _text(version.get("name")))
    return DownloadPlan(
        version_id=version_id,
        name=" ".join(name for name in names if name)[:_MAX_NAME_CHARS] or str(version_id),
        kind=kind,
        file_name=safe_file_name(told_name, suffix=suffix, fallback=f"model {version_id}"),
        url=url,
        size_bytes=_size_bytes(file.get("sizeKB")),
        sha256=_sha256(file.get("hashes")),
    )


def _file(files: Any) -> dict[str, Any]:
    """The primary one; else the first with the model in it; else the first at all."""
    found = [file for file in (files if isinstance(files, list) else []) if isinstance(file, dict)]
    primary = [file for file in found if file.get("primary") is True]
    models = [file for file in found if _text(file.get("type")) in {"Model", "Pruned Model"}]
    return next(iter([*primary, *models, *found]), {})


def _check_safe(file: dict[str, Any], suffix: str, *, allow_pickle: bool) -> None:
    for scan in ("pickleScanResult", "virusScanResult"):
        if file.get(scan) == "Danger":
            raise UnsafeFile("CivitAI's scan says that the file is dangerous.")
    metadata = file.get("metadata")
    form = metadata.get("format") if isinstance(metadata, dict) else None
    if (suffix in PICKLE_SUFFIXES or form == "PickleTensor") and not allow_pickle:
        raise UnsafeFile(
            "Files of this kind can run programs when they are loaded, and are not allowed here"
            " (ALLOW_PICKLE_MODELS)."
        )


def _size_bytes(told_kb: Any) -> int | None:
    if not isinstance(told_kb, int | float) or isinstance(told_kb, bool):
        return None
    return round(told_kb * 1024) if 0 < told_kb < _MAX_SIZE_BYTES / 1024 else None


def _sha256(hashes: Any) -> str | None:
    told = _text(hashes.get("SHA256")).lower() if isinstance(hashes, dict) else ""
    is_hash = len(told) == 64 and set(told) <= set("0123456789abcdef")
    return told if is_hash else None


def _text(told: Any) -> str:
    return told.strip() if isinstance(told, str) else ""
