"""From a request to what is really used: samplers, seeds, entries of the infotext. Pure."""

import random
from pathlib import PurePosixPath
from typing import Any

from app.simulator.builtin_lists import JsonObject
from app.simulator.catalogue import Checkpoint
from app.simulator.infotext import Description, lora_hashes, used_embeddings
from app.simulator.loader import Catalogue, Loader
from app.simulator.schema import Generation, Img2Img, Txt2Img

_FREEU = "freeu integrated (sd 1.x, sd 2.x, sdxl)"
_SAG = "selfattentionguidance integrated (sd 1.x, sd 2.x, sdxl)"
_SCRIPT_ENTRIES: dict[str, list[tuple[str, object]]] = {
    _FREEU: [
        ("freeu_enabled", False), ("freeu_b1", 1.01), ("freeu_b2", 1.02), ("freeu_s1", 0.99),
        ("freeu_s2", 0.95), ("freeu_start", 0.0), ("freeu_end", 1.0),
    ],
    _SAG: [
        ("sag_enabled", False), ("sag_scale", 0.5), ("sag_blur_sigma", 2.0),
        ("sag_threshold", 1.0),
    ],
}  # fmt: skip
_FILLS = ["fill", "original", "latent noise", "latent nothing"]


def sampler_and_scheduler(request: Generation, disk: Catalogue) -> tuple[str, str]:
    """Gives the sampler's name and the scheduler's label; unknown names fall back silently."""
    name = request.sampler_name or request.sampler_index or str(disk.samplers[0]["name"])
    scheduler = disk.schedulers[0]
    for known in disk.schedulers:
        if request.scheduler in (known["name"], known["label"]):
            scheduler = known
    for known in disk.schedulers:
        for suffix in _names(known):
            if name.endswith(f" {suffix}"):
                name, scheduler = name.removesuffix(f" {suffix}"), known
    sampler = next((each for each in disk.samplers if each["name"] == name), disk.samplers[0])
    options = sampler["options"]
    own = options.get("scheduler") if isinstance(options, dict) else None
    if scheduler["name"] == "automatic" and own:
        scheduler = next((each for each in disk.schedulers if each["name"] == own), scheduler)
    return str(sampler["name"]), str(scheduler["label"])


def describe(
    request: Generation,
    disk: Catalogue,
    loader: Loader,
    checkpoint: Checkpoint,
    job_timestamp: str,
) -> Description:
    """Gives what this run uses. The request was checked before."""
    sampler, scheduler = sampler_and_scheduler(request, disk)
    prompt = request.prompt or ""
    denoising = request.denoising_strength if isinstance(request, Txt2Img | Img2Img) else None
    description = Description(
        prompt=prompt,
        negative_prompt=request.negative_prompt or "",
        seed=_fixed(request.seed),
        subseed=_fixed(request.subseed),
        subseed_strength=request.subseed_strength or 0,
        width=request.width or 0,
        height=request.height or 0,
        sampler=sampler,
        scheduler=scheduler,
        cfg_scale=request.cfg_scale or 0.0,
        steps=request.steps or 0,
        batch_size=request.batch_size or 0,
        n_iter=request.n_iter or 0,
        denoising_strength=denoising,
        checkpoint=checkpoint,
        modules=[PurePosixPath(path).stem for path in loader.modules],
        seed_resize=(request.seed_resize_from_w or -1, request.seed_resize_from_h or -1),
        styles=request.styles or [],
        job_timestamp=job_timestamp,
    )
    extra = description.extra
    if isinstance(request, Txt2Img) and request.enable_hr:
        extra |= _hires_entries(request)
    if isinstance(request, Img2Img):
        extra["Denoising strength"] = request.denoising_strength
    if scheduler != "Automatic":
        extra["Schedule type"] = scheduler
    for key, value in (
        ("Lora hashes", lora_hashes(prompt, loader.listed.loras)),
        ("TI", used_embeddings(prompt, loader.listed.embeddings)),
    ):
        if value:
            extra[key] = value
    extra |= _script_entries(request.alwayson_scripts)
    return description


def mask_entries(request: Img2Img, *, all_black: bool) -> dict[str, object]:
    """Gives the infotext entries of a run with a mask."""
    entries: dict[str, object] = {"Mask blur": request.mask_blur or request.mask_blur_x}
    if request.inpainting_mask_invert:
        entries["Mask mode"] = "Inpaint not masked"
    if all_black:
        return entries
    if request.inpaint_full_res:
        entries["Inpaint area"] = "Only masked"
        entries["Masked area padding"] = request.inpaint_full_res_padding
    if request.inpainting_fill != 1:
        entries["Masked content"] = _FILLS[(request.inpainting_fill or 0) % len(_FILLS)]
    return entries


def _hires_entries(request: Txt2Img) -> dict[str, object]:
    entries: dict[str, object] = {"Denoising strength": request.denoising_strength}
    modules = request.hr_additional_modules or ["Built-in"]
    for number, name in enumerate(modules, 1):
        entries[f"Hires Module {number}"] = PurePosixPath(str(name)).name.removesuffix(
            ".safetensors"
        )
    entries["Hires prompt"] = request.hr_prompt or None
    entries["Hires negative prompt"] = request.hr_negative_prompt or None
    entries["Hires CFG Scale"] = request.hr_cfg
    entries["Hires Distilled CFG Scale"] = None
    entries["Hires schedule type"] = None
    if request.hr_resize_x or request.hr_resize_y:
        entries["Hires resize"] = f"{request.hr_resize_x}x{request.hr_resize_y}"
    else:
        entries["Hires upscale"] = request.hr_scale
    if request.hr_second_pass_steps:
        entries["Hires steps"] = request.hr_second_pass_steps
    if request.hr_upscaler is not None:
        entries["Hires upscaler"] = request.hr_upscaler
    return entries


def _script_entries(scripts: dict[str, Any]) -> dict[str, object]:
    entries: dict[str, object] = {}
    given = {title.lower(): content for title, content in scripts.items()}
    for title, known in _SCRIPT_ENTRIES.items():
        content = given.get(title)
        arguments = content.get("args") if isinstance(content, dict) else None
        values = [default for _, default in known]
        for position, value in enumerate(list(arguments or [])[: len(values)]):
            values[position] = value
        if values[0]:
            entries |= {key: value for (key, _), value in zip(known, values, strict=True)}
    return entries


def _names(scheduler: JsonObject) -> list[str]:
    aliases = scheduler["aliases"]
    names = [str(scheduler["label"]), str(scheduler["name"])]
    return names + ([str(alias) for alias in aliases] if isinstance(aliases, list) else [])


def _fixed(seed: int | None) -> int:
    return random.getrandbits(32) if seed is None or seed == -1 else seed
