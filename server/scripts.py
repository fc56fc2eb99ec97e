"""`/scripts/…`: what the pages let a browser fetch, to be kept for a year."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from views.ui.scripts import SCRIPTS


async def answer(request: Request) -> Response:
    """The script of that name, or 404."""
    script = SCRIPTS.get(request.path_params["file"])
    if script is None:
        return Response(status_code=404)
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}  # another script, another name
    return Response(script, media_type="text/javascript", headers=kept)


# With any base path before it (server.baseUrlPath).
route = Route("/{base:path}scripts/{file}", answer)
