"""`/health`: whether this process does what visitors come for, and how full it is."""

from __future__ import annotations

import psutil
from starlette.requests import Request
from starlette.responses import JSONResponse

from engines.benchmark.child import in_line
from server import guard
from views.ui import turns

STUCK = 60.0  # seconds without a turn for anybody: no run of a page takes so long between two


async def answer(_request: Request) -> JSONResponse:
    """200, or 503 where visitors wait and none has had a turn for a minute.

    That it answers at all says that the server's loop runs. A full server is not a sick one.
    """
    waited = turns.without_a_turn()
    ok = waited < STUCK
    told = {
        "ok": ok,
        "visits": len(guard.visits),
        "most_visits": guard.MOST_VISITS,
        "in_rooms": len(guard.in_rooms),
        "waiting_for_a_turn": turns.waiting(),
        "seconds_without_a_turn": round(waited, 1),
        "measurements": in_line(),
        "memory_mb": round(psutil.Process().memory_info().rss / 1e6),
    }
    return JSONResponse(told, 200 if ok else 503, headers={"Cache-Control": "no-store"})
