"""Forge's own options table: values, defaults, what was saved. Loads no checkpoint.

The recorded table is cut to the 69 keys that were kept of 331 (`get/options`).
"""

from copy import deepcopy
from typing import Any

from app.simulator.errors import PythonError, response_validation_failed

DEFAULTS: dict[str, Any] = {
    "sd_model_checkpoint": "randomA.safetensors",
    "sd_checkpoint_hash": "",
    "forge_additional_modules": [],
    "forge_preset": "sd",
    "forge_unet_storage_dtype": "Automatic",
    "forge_inference_memory": 1024.0,
    "forge_async_loading": "Queue",
    "forge_pin_shared_memory": "CPU",
    "samples_save": True,
    "samples_format": "png",
    "samples_filename_pattern": "",
    "enable_pnginfo": True,
    "jpeg_quality": 80.0,
    "webp_lossless": False,
    "outdir_samples": "",
    "outdir_txt2img_samples": "outputs/txt2img-images",
    "outdir_img2img_samples": "outputs/img2img-images",
    "grid_save": True,
    "return_grid": True,
    "return_mask": False,
    "return_mask_composite": False,
    "do_not_show_images": False,
    "live_previews_enable": True,
    "live_previews_image_format": "png",
    "live_preview_refresh_period": 1000.0,
    "live_preview_content": "Prompt",
    "show_progressbar": True,
    "show_progress_every_n_steps": 10.0,
    "show_progress_type": "Approx NN",
    "show_progress_grid": True,
    "live_preview_allow_lowvram_full": False,
    "live_preview_fast_interrupt": False,
    "prevent_screen_sleep_during_generation": True,
    "sd_vae": "Automatic",
    "sd_vae_checkpoint_cache": 0,
    "sd_checkpoints_limit": 1.0,
    "CLIP_stop_at_last_layers": 1.0,
    "eta_noise_seed_delta": 0,
    "use_old_hires_fix_width_height": False,
    "hires_fix_use_firstpass_conds": False,
    "hires_fix_show_sampler": False,
    "upscaler_for_img2img": None,
    "ESRGAN_tile": 192.0,
    "api_enable_requests": True,
    "api_forbid_local_requests": True,
    "api_useragent": "",
    "img2img_fix_steps": False,
    "img2img_color_correction": False,
    "initial_noise_multiplier": 1.0,
    "inpainting_mask_weight": 1.0,
    "overlay_inpaint": True,
    "sd_noise_schedule": "Default",
    "hide_samplers": [],
    "add_model_hash_to_info": True,
    "add_model_name_to_info": True,
    "add_version_to_infotext": True,
    "infotext_explanation": "Infotext holds the generation parameters of a picture.",
    "emphasis": "Original",
    "persistent_cond_cache": True,
    "textual_inversion_add_hashes_to_infotext": True,
    "uni_pc_order": 3.0,
    "disabled_extensions": [],
    "disable_all_extensions": "none",
    "auto_launch_browser": "Local",
    "list_hidden_files": True,
    "temp_dir": "",
    "clean_temp_dir_at_start": False,
    "dump_stacks_on_signal": False,
    "interrupt_after_current": True,
}


class ForgeOptions:
    """Values in memory and the ones that a restart reads back from config.json."""

    def __init__(self, checkpoint: str | None, preview_every_n_steps: int) -> None:
        self._saved = deepcopy(DEFAULTS)
        self._saved["show_progress_every_n_steps"] = float(preview_every_n_steps)
        self._saved["sd_model_checkpoint"] = checkpoint
        self.values = deepcopy(self._saved)

    def reload(self) -> None:
        """Forgets what was only set in memory, as a restart does."""
        self.values = deepcopy(self._saved)
        self.values["sd_checkpoint_hash"] = ""

    def check_keys(self, keys: list[str]) -> None:
        for key in keys:
            if key not in DEFAULTS:
                raise PythonError("KeyError", repr(key))

    def save(self, key: str, value: object) -> None:
        self.values[key] = value
        self._saved[key] = deepcopy(value)

    def shown(self) -> dict[str, Any]:
        """Gives GET options. Raises the 500 of a value whose type the answer does not allow."""
        for key, value in self.values.items():
            expected = DEFAULTS[key]
            if isinstance(expected, str) and value is not None and not isinstance(value, str):
                raise response_validation_failed(
                    key, "string_type", "Input should be a valid string", value
                )
        return self.values
