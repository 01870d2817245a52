"""Joins the web layer's parts into one ASGI application."""

import functools
from typing import Any

import orjson
from quart import Quart
from quart.json.provider import JSONProvider
from quart_schema import QuartSchema

from app.web import (
    account_routes,
    admin_status_routes,
    admin_user_routes,
    archive_routes,
    catalogue_routes,
    checkpoint_routes,
    civitai_routes,
    docs_routes,
    download_routes,
    errors,
    gallery_routes,
    image_files,
    image_routes,
    invitation_routes,
    legacy_admin_routes,
    lora_routes,
    model_file_routes,
    model_previews,
    queue_routes,
    site,
    status_routes,
    thumbnail_files,
)
from app.web.asgi import App
from app.web.body_limits import WITH_PICTURES, BodyLimits
from app.web.cors import Cors
from app.web.documentation import RawModule
from app.web.image_files import ImageFiles
from app.web.openapi import Provider, Specification
from app.web.paths import CanonicalPaths
from app.web.proxy_notice import ProxyNotice
from app.web.realtime import Realtime
from app.web.request import NavigatorRequest
from app.web.services import EXTENSION, Services
from app.web.site import Site
from app.web.thumbnail_files import ThumbnailFiles

_BLUEPRINTS = (
    account_routes.blueprint,
    admin_user_routes.blueprint,
    admin_status_routes.blueprint,
    archive_routes.blueprint,
    catalogue_routes.blueprint,
    checkpoint_routes.blueprint,
    civitai_routes.blueprint,
    docs_routes.blueprint,
    download_routes.blueprint,
    gallery_routes.blueprint,
    image_routes.blueprint,
    invitation_routes.blueprint,
    legacy_admin_routes.blueprint,
    lora_routes.blueprint,
    model_file_routes.blueprint,
    model_previews.blueprint,
    queue_routes.blueprint,
    status_routes.blueprint,
)
# Their routes do without the framework.
RAW_MODULES: tuple[RawModule, ...] = (image_files, thumbnail_files, site)


class FastJson(JSONProvider):
    """JSON by orjson, keys in the order we give them."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """`obj` as JSON text; the options of the standard library's are not supported."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """What the JSON text says."""
        return orjson.loads(s)


class NavigatorQuart(Quart):
    """Quart with our way of reading bodies."""

    request_class = NavigatorRequest


def quart_app(services: Services) -> Quart:
    """The framework's application with all routes that it serves."""
    app = NavigatorQuart("app.web", static_folder=None)
    app.url_map.merge_slashes = False  # no redirect pages, as the earlier Navigator had none
    # `BodyLimits` is stricter, until an answer has begun.
    app.config["MAX_CONTENT_LENGTH"] = WITH_PICTURES.size_bytes
    app.config["BODY_TIMEOUT"] = WITH_PICTURES.total_s
    app.config["RESPONSE_TIMEOUT"] = None
    QuartSchema(
        app,
        openapi_path=None,
        swagger_ui_path=None,
        redoc_ui_path=None,
        scalar_ui_path=None,
        conversion_preference="pydantic",
        openapi_provider_class=Provider,
    )
    # The extension makes a new type adapter for each answer to convert models; ours are plain.
    app.make_response = functools.partial(Quart.make_response, app)  # type: ignore[method-assign]
    app.json = FastJson(app)
    app.extensions[EXTENSION] = services
    app.extensions[docs_routes.EXTENSION] = Specification(app, RAW_MODULES)
    errors.install(app)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def asgi_app(services: Services, realtime: Realtime) -> App:
    """Everything that one port answers."""
    quart = quart_app(services)
    rules = [str(rule) for rule in quart.url_map.iter_rules()]
    raw_rules = [rule for module in RAW_MODULES for rule in module.ACCESS_RULES]
    routes = quart.url_map.bind("")
    with_site = Site(
        quart,  # type: ignore[arg-type]
        folder=services.compass_folder,
        hosts=services.hosts,
        discord_client_id=services.discord_client_id,
        is_route=routes.test,
    )
    access = services.picture_access
    with_images = ImageFiles(with_site, services.images, services.stored_pictures, access)
    with_files = ThumbnailFiles(with_images, services.thumbnails, access)
    limited = BodyLimits(realtime.mounted_on(with_files))
    allowed = Cors(CanonicalPaths(limited, [*rules, *raw_rules]))
    return ProxyNotice(allowed, services.trusted_proxies)
