"""The prose of the API's description: what no handler could say."""

from typing import Any

DESCRIPTION = """\
Log in with `POST /api/auth/login` and send the token as `Authorization: Bearer <token>`. \
A login also sets a cookie, which counts for pages of the same origin where a login is optional. \
The superuser token is the whole header, without `Bearer`. \
`x-access-rule` names the role that a route needs: `APPRENTICE`, `ARTIFICER`, `ARCHITECT` or \
`APEX`, each including those before it; or it is `public`; or it is `PICTURE`, which is public \
unless the owner set `PUBLIC_IMAGE_LINKS=false`, and then needs any login: the header, or the \
cookie of one. Where there is an `x-owner-rule`, what belongs to others is answered as if it were \
not there.

Paths are found in any case and with a slash at the end; ids are not. \
HEAD works wherever GET does. Unknown keys in a body are ignored. \
Numbers in a body may be text. New keys may appear in answers. \
Every error has the body `Error`, also those that no route lists: 404 `UNKNOWN_ROUTE`, \
500 `INTERNAL`, and 413 and 408 for a body that nobody asked for. \
After 429 with a header `Retry-After`, wait for so many seconds.

### Events

What becomes of a job is told over [socket.io](https://socket.io) (protocol 5), on the port of \
this API and on a port of its own. A socket that connects with `auth: {token}` hears of its \
user's jobs, one without of the jobs that were submitted from its address.

| Event | When |
| --- | --- |
| `connected` | The socket is let in. |
| `task-started` | Forge got the job. |
| `model-changed` | Another checkpoint gets loaded for it: `model_name`, `job_id`. |
| `task-progress` | `progress` from 0 to 1, `eta_relative` in seconds, `current_step` of \
`total_steps`, `progress_path` of the preview. |
| `task-finished` | The picture is there: `img_path`, and the `seed` that was used. |
| `task-failed` | It came to nothing: `error` says why. |
| `models-refreshed` | Forge looked for new files, or the owner says something else of a \
checkpoint: read the lists again. |
| `task-interrupted` | Its owner stops it; `task-finished` or `task-failed` follows. |
| `download-started` | A model is being downloaded: `job_id`, `model_version_id`, `name`, `kind`, \
`file_name`, `size_bytes`, null for unknown. These go to who asked for it, and to administrators. |
| `download-progress` | `received_bytes` of `size_bytes`, `fraction` from 0 to 1, `eta_s`. |
| `download-finished` | The file is there; `models-refreshed` follows when Forge has seen it. |
| `download-failed` | It came to nothing, or was stopped: `error` says why. |
| `download-interrupted` | It gets stopped; `download-failed` follows. |
| `queue-paused` | Administrators hear that no job of a `lane` is started any more: `resumes_at`, \
null for until somebody resumes it. |
| `queue-resumed` | They hear that jobs of a `lane` are started again. |
| `disk-low` | They hear that less than 10 % of the disk is free: `free_bytes`, `total_bytes`. |

Sockets of administrators (role 3 and above) hear of users, too: `user` is who it is about, as it \
is afterwards (`id`, `name`, `role`, `approval`, `provider`, `avatar`).

| Event | When |
| --- | --- |
| `user-pending` | Somebody logged in who waits for approval; `address` is where from. At most \
once in ten minutes. |
| `user-approved` | Somebody was let in. |
| `user-denied` | Somebody who asked was refused. |
| `user-disabled` | Somebody was shut out. |
| `user-role-changed` | Somebody has another role. |
| `user-signed-out` | All tokens of a user are void. |
| `user-forgotten` | What was known of a user is erased. |

Those that begin with `task-` carry the job's parameters too, without prompts and size: `job_id`, \
`type`, `task_type`, `status`, `origin` and so on.
"""

SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `token` of a login.",
    },
    "superuser": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The setting `SUPERUSER_ADMIN_TOKEN`.",
    },
}

# Of the groups of routes whose module speaks to its readers only.
TAGS = {
    "catalogue": "What Forge has, and what Navigator allows. No list waits for Forge.",
    "images": "Pictures, and what belongs to them.",
    "site": "Compass, and pages of our own beside the API.",
}

# What every route with a body may answer, whatever it does with it.
OF_A_BODY = {
    400: "The body is not a JSON object, or a value in it makes no sense.",
    408: "The body did not arrive in time.",
    413: "The body is larger than 1 MB, or than 50 MB where pictures come in.",
}

NEIGHBOURS = {
    502: "Forge or another service failed.",
    503: "Forge, another service or the database cannot be reached; try again.",
}
