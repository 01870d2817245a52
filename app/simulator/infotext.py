"""The texts that describe a picture: infotext, the `info` object. Writes only; see the parser.

Source: recordings `txt2img/success_*`, `img2img/*`, `switch/*` (order of the entries included).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.simulator.catalogue import Checkpoint, Embedding, Lora

VERSION = "f2.0.1v1.10.1-previous-658-g5e1dcd35"

LORA_TAG = re.compile(r"<lora:([^:>]*)((?::[^:>]*)*)>")


@dataclass
class Description:
    """What a run really used, after defaults and fallbacks."""

    prompt: str
    negative_prompt: str
    seed: int
    subseed: int
    subseed_strength: float
    width: int
    height: int
    sampler: str
    scheduler: str
    cfg_scale: float
    steps: int
    batch_size: int
    n_iter: int
    denoising_strength: float | None
    checkpoint: Checkpoint
    modules: Sequence[str]
    """Stems of the additional modules."""
    seed_resize: tuple[int, int]
    styles: list[str]
    job_timestamp: str
    extra: dict[str, object] = field(default_factory=dict)

    def seed_of(self, index: int) -> int:
        return self.seed + (index if self.subseed_strength == 0 else 0)

    def infotext(self, index: int) -> str:
        """Gives the text in the picture with this index."""
        entries: dict[str, object] = {
            "Steps": self.steps,
            "Sampler": self.sampler,
            "Schedule type": self.scheduler,
            "CFG scale": self.cfg_scale,
            "Seed": self.seed_of(index),
            "Size": f"{self.width}x{self.height}",
            "Model hash": self.checkpoint.hash,
            "Model": self.checkpoint.stem,
        }
        if self.subseed_strength:
            entries["Variation seed"] = self.subseed + index
            entries["Variation seed strength"] = self.subseed_strength
        entries |= {key: value for key, value in self.extra.items() if key != "Schedule type"}
        entries["Version"] = VERSION
        for number, stem in enumerate(self.modules, 1):
            entries[f"Module {number}"] = stem
        line = ", ".join(
            f"{key}: {_quoted(value)}" for key, value in entries.items() if value is not None
        )
        negative = f"\nNegative prompt: {self.negative_prompt}" if self.negative_prompt else ""
        return f"{self.prompt}{negative}\n{line}".strip()

    def info(self, infotexts: Sequence[str]) -> str:
        """Gives the JSON text in `info` of an answer."""
        count = self.batch_size * self.n_iter
        return json.dumps(
            {
                "prompt": self.prompt,
                "all_prompts": [self.prompt] * count,
                "negative_prompt": self.negative_prompt,
                "all_negative_prompts": [self.negative_prompt] * count,
                "seed": self.seed,
                "all_seeds": [self.seed_of(index) for index in range(count)],
                "subseed": self.subseed,
                "all_subseeds": [self.subseed + index for index in range(count)],
                "subseed_strength": self.subseed_strength,
                "width": self.width,
                "height": self.height,
                "sampler_name": self.sampler,
                "cfg_scale": self.cfg_scale,
                "steps": self.steps,
                "batch_size": self.batch_size,
                "restore_faces": False,
                "face_restoration_model": None,
                "sd_model_name": self.checkpoint.stem,
                "sd_model_hash": self.checkpoint.hash,
                "sd_vae_name": None,
                "sd_vae_hash": None,
                "seed_resize_from_w": self.seed_resize[0],
                "seed_resize_from_h": self.seed_resize[1],
                "denoising_strength": self.denoising_strength,
                "extra_generation_params": self.extra,
                "index_of_first_image": 0,
                "infotexts": list(infotexts) or [self.infotext(0)],
                "styles": self.styles,
                "job_timestamp": self.job_timestamp,
                "clip_skip": 1,
                "is_using_inpainting_conditioning": False,
                "version": VERSION,
            },
            ensure_ascii=False,
        )


def lora_hashes(prompt: str, loras: Sequence[Lora]) -> str | None:
    """Gives the `Lora hashes` entry.

    One unknown LoRA or one weight that is no number makes Forge skip them all silently
    (`txt2img/success_lora_prompt`, `txt2img/unknown_model_lora_weight_garbage`).
    """
    known = {name: lora for lora in loras for name in (lora.name, lora.alias)}
    found = {}
    for name, arguments in LORA_TAG.findall(prompt):
        weights = [text.rpartition("=")[2] for text in arguments.split(":")[1:]]
        if name not in known or not all(_is_number(weight) for weight in weights):
            return None
        found[name] = known[name].short_hash
    return ", ".join(f"{name}: {digest}" for name, digest in found.items()) or None


def used_embeddings(prompt: str, embeddings: Sequence[Embedding]) -> str | None:
    """Gives the `TI` entry: the embeddings that the prompt names."""
    words = set(re.findall(r"[\w.-]+", LORA_TAG.sub(" ", prompt)))
    return ", ".join(each.name for each in embeddings if each.name in words) or None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _quoted(value: object) -> str:
    text = str(value)
    if any(mark in text for mark in ",:\n"):
        return json.dumps(text, ensure_ascii=False)
    return text
