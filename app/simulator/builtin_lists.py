"""What every Forge install has: samplers, schedulers, upscalers, scripts. Data only.

Source: recordings `get/samplers`, `get/schedulers`, `get/upscalers`, `get/scripts`,
`get/latent-upscale-modes`.
"""

from copy import deepcopy

JsonObject = dict[str, object]

_SAMPLERS: list[tuple[str, list[str], JsonObject]] = [
    ("DPM++ 2M", ["k_dpmpp_2m"], {"scheduler": "karras"}),
    (
        "DPM++ SDE",
        ["k_dpmpp_sde"],
        {"scheduler": "karras", "second_order": True, "brownian_noise": True},
    ),
    ("DPM++ 2M SDE", ["k_dpmpp_2m_sde"], {"scheduler": "exponential", "brownian_noise": True}),
    (
        "DPM++ 2M SDE Heun",
        ["k_dpmpp_2m_sde_heun"],
        {"scheduler": "exponential", "brownian_noise": True, "solver_type": "heun"},
    ),
    (
        "DPM++ 2S a",
        ["k_dpmpp_2s_a"],
        {"scheduler": "karras", "uses_ensd": True, "second_order": True},
    ),
    (
        "DPM++ 3M SDE",
        ["k_dpmpp_3m_sde"],
        {"scheduler": "exponential", "discard_next_to_last_sigma": True, "brownian_noise": True},
    ),
    ("Euler a", ["k_euler_a", "k_euler_ancestral"], {"uses_ensd": True}),
    ("Euler", ["k_euler"], {}),
    ("LMS", ["k_lms"], {}),
    ("Heun", ["k_heun"], {"second_order": True}),
    (
        "DPM2",
        ["k_dpm_2"],
        {"scheduler": "karras", "discard_next_to_last_sigma": True, "second_order": True},
    ),
    (
        "DPM2 a",
        ["k_dpm_2_a"],
        {
            "scheduler": "karras",
            "discard_next_to_last_sigma": True,
            "uses_ensd": True,
            "second_order": True,
        },
    ),
    ("DPM fast", ["k_dpm_fast"], {"uses_ensd": True}),
    ("DPM adaptive", ["k_dpm_ad"], {"uses_ensd": True}),
    ("Restart", ["restart"], {"scheduler": "karras", "second_order": True}),
    ("HeunPP2", ["heunpp2"], {}),
    ("IPNDM", ["ipndm"], {}),
    ("IPNDM_V", ["ipndm_v"], {}),
    ("DEIS", ["deis"], {}),
    ("DDIM", ["ddim"], {}),
    ("DDIM CFG++", ["ddim_cfgpp"], {}),
    ("PLMS", ["plms"], {}),
    ("UniPC", ["unipc"], {}),
    ("LCM", ["k_lcm"], {}),
    ("DDPM", ["ddpm"], {}),
]

_SCHEDULERS: list[tuple[str, str, list[str] | None, float, bool]] = [
    ("automatic", "Automatic", None, -1.0, False),
    ("uniform", "Uniform", None, -1.0, True),
    ("karras", "Karras", None, 7.0, False),
    ("exponential", "Exponential", None, -1.0, False),
    ("polyexponential", "Polyexponential", None, 1.0, False),
    ("sgm_uniform", "SGM Uniform", ["SGMUniform"], -1.0, True),
    ("kl_optimal", "KL Optimal", None, -1.0, False),
    ("align_your_steps", "Align Your Steps", None, -1.0, False),
    ("simple", "Simple", None, -1.0, True),
    ("normal", "Normal", None, -1.0, True),
    ("ddim", "DDIM", None, -1.0, True),
    ("beta", "Beta", None, -1.0, True),
    ("turbo", "Turbo", None, -1.0, True),
    ("align_your_steps_GITS", "Align Your Steps GITS", None, -1.0, False),
    ("align_your_steps_11", "Align Your Steps 11", None, -1.0, False),
    ("align_your_steps_32", "Align Your Steps 32", None, -1.0, False),
]

_UPSCALERS: list[tuple[str, str | None, str | None, float]] = [
    ("None", None, None, 4.0),
    ("Lanczos", None, None, 4.0),
    ("Nearest", None, None, 4.0),
    (
        "DAT x2",
        None,
        "https://huggingface.co/w-e-w/DAT/resolve/main/experiments/pretrained_models/DAT/DAT_x2.pth",
        2.0,
    ),
    (
        "DAT x3",
        None,
        "https://huggingface.co/w-e-w/DAT/resolve/main/experiments/pretrained_models/DAT/DAT_x3.pth",
        3.0,
    ),
    (
        "DAT x4",
        None,
        "https://huggingface.co/w-e-w/DAT/resolve/main/experiments/pretrained_models/DAT/DAT_x4.pth",
        4.0,
    ),
    (
        "ESRGAN_4x",
        "ESRGAN_4x",
        "https://github.com/cszn/KAIR/releases/download/v1.0/ESRGAN.pth",
        4.0,
    ),
    (
        "R-ESRGAN 4x+",
        None,
        "https://github.com/xinntao/Real-ESRGAN/releases/download/v0.1.0/RealESRGAN_x4plus.pth",
        4.0,
    ),
    (
        "R-ESRGAN 4x+ Anime6B",
        None,
        "https://github.com/xinntao/Real-ESRGAN/releases/download/v0.2.2.4/RealESRGAN_x4plus_anime_6B.pth",
        4.0,
    ),
    (
        "ScuNET GAN",
        "ScuNET GAN",
        "https://github.com/cszn/KAIR/releases/download/v1.0/scunet_color_real_gan.pth",
        4.0,
    ),
    (
        "ScuNET PSNR",
        "ScuNET GAN",
        "https://github.com/cszn/KAIR/releases/download/v1.0/scunet_color_real_psnr.pth",
        4.0,
    ),
    (
        "SwinIR 4x",
        "SwinIR 4x",
        "https://github.com/JingyunLiang/SwinIR/releases/download/v0.0/003_realSR_BSRGAN_DFOWMFC_s64w8_SwinIR-L_x4_GAN.pth",
        4.0,
    ),
]

LATENT_UPSCALE_MODES = [
    "Latent",
    "Latent (antialiased)",
    "Latent (bicubic)",
    "Latent (bicubic antialiased)",
    "Latent (nearest)",
    "Latent (nearest-exact)",
]

_TXT2IMG_SCRIPTS = ["prompt matrix", "prompts from file or textbox", "x/y/z plot"]
_IMG2IMG_SCRIPTS = [
    "img2img alternative test",
    "loopback",
    "outpainting mk2",
    "poor man's outpainting",
    "prompt matrix",
    "prompts from file or textbox",
    "sd upscale",
    "x/y/z plot",
]
_ALWAYS_ON = [
    "extra options",
    "controlnet",
    "dynamicthresholding (cfg-fix) integrated",
    "freeu integrated (sd 1.x, sd 2.x, sdxl)",
    "kohya hrfix integrated",
    "latentmodifier integrated",
    "multidiffusion integrated",
    "never oom integrated",
    "perturbedattentionguidance integrated",
    "selfattentionguidance integrated (sd 1.x, sd 2.x, sdxl)",
    "stylealign integrated",
]


def default_samplers() -> list[JsonObject]:
    """Gives the samplers; the first one is what an unknown name becomes."""
    return [
        {"name": name, "aliases": list(aliases), "options": deepcopy(options)}
        for name, aliases, options in _SAMPLERS
    ]


def default_schedulers() -> list[JsonObject]:
    return [
        {
            "name": name,
            "label": label,
            "aliases": deepcopy(aliases),
            "default_rho": default_rho,
            "need_inner_model": need_inner_model,
        }
        for name, label, aliases, default_rho, need_inner_model in _SCHEDULERS
    ]


def default_upscalers() -> list[JsonObject]:
    return [
        {
            "name": name,
            "model_name": model_name,
            "model_path": model_path,
            "model_url": None,
            "scale": scale,
        }
        for name, model_name, model_path, scale in _UPSCALERS
    ]


def scripts() -> dict[str, list[str]]:
    """Gives the lower-cased titles per tab, selectable ones first."""
    always_on_after = ["refiner", "sampler", "seed"]
    return {
        "txt2img": [*_TXT2IMG_SCRIPTS, *_ALWAYS_ON, *always_on_after],
        "img2img": [*_IMG2IMG_SCRIPTS, *_ALWAYS_ON, "soft inpainting", *always_on_after],
    }


def selectable_scripts(tab: str) -> list[str]:
    return list(_TXT2IMG_SCRIPTS if tab == "txt2img" else _IMG2IMG_SCRIPTS)


def always_on_scripts(tab: str) -> list[str]:
    chosen = selectable_scripts(tab)
    return [title for title in scripts()[tab] if title not in chosen]
