"""The description of the whole API, for programs: which right each address takes, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from listener.web.auth import Door, MayRead

ABOUT = """Everything that colleagues see and do, for programs. Make a token on the page `/account` and send it as
`Authorization: Bearer lst_...`; it works in the name of its maker, with the rights that were chosen. Ids are the opaque
ones of links. Times are ISO 8601 in UTC. A page of a list names the next one in `next`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorJson:
    """Why an answer is none, in a sentence."""

    error: str


ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "model": ErrorJson,
        "description": "400 not understood, 401 no token, 403 the right is lacking, 404 not there, 409 refused as "
        "things stand, 413 too much at once, 429 too often (see Retry-After)",
    },
    "5XX": {"model": ErrorJson, "description": "500 a defect, 503 the database cannot be used"},
}
"""What every address may answer instead."""


def doors(dependant: Dependant) -> Iterator[Door]:
    """Every door on the way to a route."""
    for inner in dependant.dependencies:
        if isinstance(inner.call, Door):
            yield inner.call
        yield from doors(inner)


def describe(web: FastAPI) -> dict[str, Any]:
    """The description, in which each operation has its noun as a tag and says which right it takes."""
    described = web.openapi()
    for route in web.routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        rights = sorted({door.right for door in doors(route.dependant)})
        for method in route.methods or ():
            operation = described["paths"][route.path_format][method.lower()]
            operation.setdefault("tags", [route.path.split("/")[3]])
            operation["x-rights"] = rights
            said = operation.get("description", "").strip()
            takes = f"Takes the right {' and '.join(rights)}."
            if takes not in said:
                operation["description"] = f"{said}\n\n{takes}".strip()
    return described


def add_openapi(web: FastAPI) -> None:
    """Serve `/api/v1/openapi.json`."""

    @web.get("/api/v1/openapi.json", include_in_schema=False)
    def openapi(by: MayRead) -> JSONResponse:
        return JSONResponse(describe(web))
