"""The model files of a simulated Forge: what lies on its disk and what it has listed of it.

Forge scans folders at its start and on refresh calls only, so a changed list below shows up
after the matching refresh or `Simulator.restart()` (modules: after a restart only).
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath

MODELS = "/forge/models"


@dataclass
class Checkpoint:
    """A checkpoint file. `name` is its path below the models folder, with `/`."""

    name: str
    sha256: str = ""
    hashed: bool = False
    """True once it was loaded: only then Forge knows its hash (kept over restarts)."""
    corrupt: bool = False
    """A load fails and renames the file, so it is gone at the next refresh."""
    models: str = MODELS

    def __post_init__(self) -> None:
        self.sha256 = self.sha256 or hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem

    @property
    def model_name(self) -> str:
        return str(PurePosixPath(self.name).with_suffix("")).replace("/", "_")

    @property
    def hash(self) -> str:
        return self.sha256[:10]

    @property
    def title(self) -> str:
        return f"{self.name} [{self.hash}]" if self.hashed else self.name

    @property
    def filename(self) -> str:
        return f"{self.models}/Stable-diffusion/{self.name}"

    def aliases(self) -> set[str]:
        """Gives every text that names it, compared exactly (README section 5)."""
        names = {self.model_name, self.title, self.name, self.stem}
        return names | {self.hash, self.sha256} if self.hashed else names

    def shown(self) -> dict[str, object]:
        return {
            "title": self.title,
            "model_name": self.model_name,
            "hash": self.hash if self.hashed else None,
            "sha256": self.sha256 if self.hashed else None,
            "filename": self.filename,
            "config": None,
        }


@dataclass
class Module:
    """A VAE or text-encoder file; `folder` is `VAE` or `text_encoder`."""

    name: str
    folder: str = "VAE"
    models: str = MODELS

    @property
    def filename(self) -> str:
        return f"{self.models}/{self.folder}/{self.name}"

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem

    def shown(self) -> dict[str, object]:
        return {"model_name": self.name, "filename": self.filename}


@dataclass
class Lora:
    """A LoRA file; `path` is below the Lora folder."""

    path: str
    metadata: dict[str, object] = field(default_factory=dict)
    models: str = MODELS

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).stem

    @property
    def alias(self) -> str:
        return str(self.metadata.get("ss_output_name") or self.name)

    @property
    def short_hash(self) -> str:
        known = self.metadata.get("sshs_model_hash")
        return str(known or hashlib.sha256(self.path.encode()).hexdigest())[:12]

    def shown(self) -> dict[str, object]:
        return {
            "name": self.name,
            "alias": self.alias,
            "path": f"{self.models}/Lora/{self.path}",
            "metadata": self.metadata,
        }


@dataclass
class Embedding:
    """A textual-inversion file; `shape` 768 is SD 1.5, 2048 is SDXL."""

    name: str
    vectors: int = 2
    shape: int = 768
    step: int | None = None
    sd_checkpoint: str | None = None
    sd_checkpoint_name: str | None = None

    def shown(self) -> dict[str, object]:
        return {
            "step": self.step,
            "sd_checkpoint": self.sd_checkpoint,
            "sd_checkpoint_name": self.sd_checkpoint_name,
            "shape": self.shape,
            "vectors": self.vectors,
        }


def default_checkpoints() -> list[Checkpoint]:
    return [
        Checkpoint("dreamyLandscapes_v2.safetensors"),
        Checkpoint("inkAndPaper_v1.safetensors"),
        Checkpoint("xl/wideHorizon_xl.safetensors"),
    ]


def default_modules() -> list[Module]:
    return [
        Module("vivid_vae.safetensors"),
        Module("clip_large.safetensors", "text_encoder"),
    ]


def default_loras() -> list[Lora]:
    return [
        Lora(
            "watercolour.safetensors",
            {
                "ss_output_name": "watercolour",
                "ss_base_model_version": "sd_v1",
                "ss_tag_frequency": {"10_paint": {"watercolour": 10, "paper": 4}},
                "sshs_model_hash": hashlib.sha256(b"watercolour").hexdigest(),
            },
        ),
        Lora("styles/night sky.safetensors", {"ss_output_name": "night_sky"}),
        Lora("plain_detail.safetensors"),
    ]


def default_embeddings() -> list[Embedding]:
    return [Embedding("calm_light"), Embedding("calm_light_xl", shape=2048)]
