"""The prose of the API's description: what no handler could say."""

from typing import Any

DESCRIPTION = """\
Log in with `POST /api/auth/login` and send the token as `Authorization: Bearer <token>`. \
A login also sets a cookie, which counts for pages of the same origin where a login is optional. \
The superuser token is the whole header, without `Bearer`. \
`x-access-rule` names the role that a route needs: `APPRENTICE`, `ARTIFICER`, `ARCHITECT` or \
`APEX`, each including those before it; or it is `public`.

Paths are found in any case and with a slash at the end; ids are not. \
HEAD works wherever GET does. Unknown keys in a body are ignored. \
Numbers in a body may be text. New keys may appear in answers. \
Every error has the body `Error`, also those that no route lists: 404 `UNKNOWN_ROUTE` and \
500 `INTERNAL`.

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
| `models-refreshed` | Forge looked for new files: read the lists again. |
| `task-interrupted` | Its owner stops it; `task-finished` or `task-failed` follows. |

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
    413: "The body is larger than 50 MB.",
}

NEIGHBOURS = {
    502: "Forge or another service failed.",
    503: "Forge, another service or the database cannot be reached; try again.",
}
