"""The settings of models: CivitAI, the folder of models, what may be downloaded. Reads nothing.

A part of `Settings`; see there.
"""

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from app.setting_types import HttpUrls, OptionalText, Switch


class LibrarySettings(BaseModel):
    """The settings of models. The upper-case aliases are the names in `.env`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enable_lora_requests: Switch = Field(
        True, validation_alias=AliasChoices("ENABLE_LORA_REQUESTS", "ENABLE_LORA_SUPPORT")
    )
    civitai_api_base: HttpUrls = Field(
        ("https://civitai.com/api/v1", "https://civitai.red/api/v1"), alias="CIVITAI_API_BASE"
    )
    civitai_api_key: OptionalText = Field(None, alias="CIVITAI_API_KEY")
    model_dir: OptionalText = Field(None, alias="MODEL_DIR")
    supports_flux: Switch = Field(False, alias="SUPPORTS_FLUX")
    allow_pickle_models: Switch = Field(False, alias="ALLOW_PICKLE_MODELS")
