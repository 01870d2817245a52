"""What several files of recordings find: pictures of the recorded ids, jobs without one."""

from collections.abc import Mapping

from app.jobs.models import Job, JobStatus
from app.simulator import Fault
from tests.parity.case import OWNER, Stage
from tests.parity.world import World
from tests.running import CHECKPOINT, OTHER_CHECKPOINT

# Requests 139, 140, 182, 184 and 186, which made pictures that others are about.
_PICTURES: dict[str, dict[str, object]] = {
    "efe51e32": {},
    "9c1523fc": {
        "model_name": OTHER_CHECKPOINT,
        "negative_prompt": "blurry, text",
        "height": 640,
        "sampler_name": "k_euler_a",
        "scheduler_name": "karras",
        "subseed": 99,
        "subseed_strength": 0.3,
        "distilled_cfg": 4,
        "cfg_scale": 6.5,
        "steps": 20,
        "image_enhancements": True,
        "modules": ["ae.safetensors", "clip_l.safetensors"],
    },
    "f4a59be7": {"width": 1024, "height": 1024},
    "7a810a25": {"scheduler_name": "sgm_uniform"},
    "5ab905c9": {"subseed": 55, "subseed_strength": 0.4},
}


def picture(image_id: str, by: str = OWNER) -> Stage:
    """The picture that was recorded under this id; with the owner's category if it had one."""

    async def stage(world: World) -> Mapping[str, str]:
        asked = {"model_name": CHECKPOINT, **_PICTURES[image_id]}
        if image_id == "9c1523fc" and not await Job.exists(id=image_id):
            category = await world.post("/api/user/category", {"name": "mine"}, by)
            asked["categoryId"] = category["id"]
        await world.picture(image_id, by, **asked)
        return {}

    return stage


def unfinished(image_id: str) -> Stage:
    """A job of the owner's that failed, so that there is no picture of its id."""

    async def stage(world: World) -> Mapping[str, str]:
        if not await Job.exists(id=image_id):
            world.forge.inject(Fault.no_images(times=None))
            await world.submit(OWNER, job_id=image_id)
            await world.server.reached(image_id, JobStatus.FAILED)
        return {}

    return stage
